/* In the place of OpenCV's OpenBLAS in the frozen program: passes its calls on to the OpenBLAS of numpy.
 *
 * OpenCV's has integers of 32 bits and plain names; numpy's has integers of 64 bits, and names such as scipy_dgesv_64_.
 * Arguments are those of netlib.org/lapack and of CBLAS; Fortran functions end in the lengths of their texts. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef int32_t small;
typedef int64_t wide;

#define NUMPYS(name) scipy_##name##64_

/* C = alpha op(A) op(B) + beta C; real numbers are passed by value, complex ones by address */
#define GEMM(name, number, element)                                                                                    \
    void NUMPYS(name)(int, int, int, wide, wide, wide, number, const element *, wide, const element *, wide, number,   \
                      element *, wide);                                                                                \
    void name(int order, int ta, int tb, small m, small n, small k, number alpha, const element *a, small lda,         \
              const element *b, small ldb, number beta, element *c, small ldc) {                                       \
        NUMPYS(name)(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);                                     \
    }
GEMM(cblas_sgemm, float, float)
GEMM(cblas_dgemm, double, double)
GEMM(cblas_cgemm, const void *, void)
GEMM(cblas_zgemm, const void *, void)

/* pivots come back as wide integers; -1 in info without memory: no solution, as for a bad argument */
static wide *wide_room(size_t count) { return malloc((count ? count : 1) * sizeof(wide)); }
static size_t at_least_zero(small count) { return count > 0 ? (size_t)count : 0; }
static void narrow(small *to, const wide *from, size_t count) {
    for (size_t at = 0; at < count; at++) to[at] = (small)from[at];
}

#define LAPACK(kind, T)                                                                                                \
    void NUMPYS(kind##geev_)(const char *, const char *, const wide *, T *, const wide *, T *, T *, T *, const wide *, \
                             T *, const wide *, T *, const wide *, wide *, size_t, size_t);                            \
    void kind##geev_(const char *jobvl, const char *jobvr, const small *n, T *a, const small *lda, T *wr, T *wi,       \
                     T *vl, const small *ldvl, T *vr, const small *ldvr, T *work, const small *lwork, small *info) {   \
        wide n_ = *n, lda_ = *lda, ldvl_ = *ldvl, ldvr_ = *ldvr, lwork_ = *lwork, info_ = 0;                           \
        NUMPYS(kind##geev_)(jobvl, jobvr, &n_, a, &lda_, wr, wi, vl, &ldvl_, vr, &ldvr_, work, &lwork_, &info_, 1, 1); \
        *info = (small)info_;                                                                                          \
    }                                                                                                                  \
    void NUMPYS(kind##gels_)(const char *, const wide *, const wide *, const wide *, T *, const wide *, T *,           \
                             const wide *, T *, const wide *, wide *, size_t);                                         \
    void kind##gels_(const char *trans, const small *m, const small *n, const small *nrhs, T *a, const small *lda,     \
                     T *b, const small *ldb, T *work, const small *lwork, small *info) {                               \
        wide m_ = *m, n_ = *n, nrhs_ = *nrhs, lda_ = *lda, ldb_ = *ldb, lwork_ = *lwork, info_ = 0;                    \
        NUMPYS(kind##gels_)(trans, &m_, &n_, &nrhs_, a, &lda_, b, &ldb_, work, &lwork_, &info_, 1);                    \
        *info = (small)info_;                                                                                          \
    }                                                                                                                  \
    void NUMPYS(kind##geqrf_)(const wide *, const wide *, T *, const wide *, T *, T *, const wide *, wide *);          \
    void kind##geqrf_(const small *m, const small *n, T *a, const small *lda, T *tau, T *work, const small *lwork,     \
                      small *info) {                                                                                   \
        wide m_ = *m, n_ = *n, lda_ = *lda, lwork_ = *lwork, info_ = 0;                                                \
        NUMPYS(kind##geqrf_)(&m_, &n_, a, &lda_, tau, work, &lwork_, &info_);                                          \
        *info = (small)info_;                                                                                          \
    }                                                                                                                  \
    void NUMPYS(kind##gesdd_)(const char *, const wide *, const wide *, T *, const wide *, T *, T *, const wide *,     \
                              T *, const wide *, T *, const wide *, wide *, wide *, size_t);                           \
    void kind##gesdd_(const char *jobz, const small *m, const small *n, T *a, const small *lda, T *s, T *u,            \
                      const small *ldu, T *vt, const small *ldvt, T *work, const small *lwork, small *iwork,           \
                      small *info) {                                                                                   \
        wide m_ = *m, n_ = *n, lda_ = *lda, ldu_ = *ldu, ldvt_ = *ldvt, lwork_ = *lwork, info_ = -1;                   \
        wide *room = wide_room(8 * at_least_zero(*m < *n ? *m : *n));                                                  \
        (void)iwork;                                                                                                   \
        if (room)                                                                                                      \
            NUMPYS(kind##gesdd_)(jobz, &m_, &n_, a, &lda_, s, u, &ldu_, vt, &ldvt_, work, &lwork_, room, &info_, 1);   \
        free(room);                                                                                                    \
        *info = (small)info_;                                                                                          \
    }                                                                                                                  \
    void NUMPYS(kind##gesv_)(const wide *, const wide *, T *, const wide *, wide *, T *, const wide *, wide *);        \
    void kind##gesv_(const small *n, const small *nrhs, T *a, const small *lda, small *ipiv, T *b, const small *ldb,   \
                     small *info) {                                                                                    \
        wide n_ = *n, nrhs_ = *nrhs, lda_ = *lda, ldb_ = *ldb, info_ = -1;                                             \
        wide *room = wide_room(at_least_zero(*n));                                                                     \
        if (room) NUMPYS(kind##gesv_)(&n_, &nrhs_, a, &lda_, room, b, &ldb_, &info_);                                  \
        if (room && info_ >= 0) narrow(ipiv, room, at_least_zero(*n));                                                 \
        free(room);                                                                                                    \
        *info = (small)info_;                                                                                          \
    }                                                                                                                  \
    void NUMPYS(kind##getrf_)(const wide *, const wide *, T *, const wide *, wide *, wide *);                          \
    void kind##getrf_(const small *m, const small *n, T *a, const small *lda, small *ipiv, small *info) {              \
        wide m_ = *m, n_ = *n, lda_ = *lda, info_ = -1;                                                                \
        size_t count = at_least_zero(*m < *n ? *m : *n);                                                               \
        wide *room = wide_room(count);                                                                                 \
        if (room) NUMPYS(kind##getrf_)(&m_, &n_, a, &lda_, room, &info_);                                              \
        if (room && info_ >= 0) narrow(ipiv, room, count);                                                             \
        free(room);                                                                                                    \
        *info = (small)info_;                                                                                          \
    }                                                                                                                  \
    void NUMPYS(kind##posv_)(const char *, const wide *, const wide *, T *, const wide *, T *, const wide *, wide *,   \
                             size_t);                                                                                  \
    void kind##posv_(const char *uplo, const small *n, const small *nrhs, T *a, const small *lda, T *b,                \
                     const small *ldb, small *info) {                                                                  \
        wide n_ = *n, nrhs_ = *nrhs, lda_ = *lda, ldb_ = *ldb, info_ = 0;                                              \
        NUMPYS(kind##posv_)(uplo, &n_, &nrhs_, a, &lda_, b, &ldb_, &info_, 1);                                         \
        *info = (small)info_;                                                                                          \
    }                                                                                                                  \
    void NUMPYS(kind##potrf_)(const char *, const wide *, T *, const wide *, wide *, size_t);                          \
    void kind##potrf_(const char *uplo, const small *n, T *a, const small *lda, small *info) {                         \
        wide n_ = *n, lda_ = *lda, info_ = 0;                                                                          \
        NUMPYS(kind##potrf_)(uplo, &n_, a, &lda_, &info_, 1);                                                          \
        *info = (small)info_;                                                                                          \
    }
LAPACK(s, float)
LAPACK(d, double)
