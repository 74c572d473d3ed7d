/* In the place of OpenBLAS in the frozen program: products, and equations solved by LU and Cholesky, in plain loops.
 *
 * Compiled twice (`stand_ins`): with -DNUMPY for numpy, whose integers have 64 bits and whose names are such as
 * scipy_dgesv_64_, and without it for OpenCV, with integers of 32 bits and plain names. What is not here says so:
 * numpy then raises LinAlgError, OpenCV a C++ exception. Arguments are those of netlib.org/lapack and of CBLAS.
 * The file includes itself once for each type of number. */
#ifndef T
#include <complex.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#ifdef NUMPY
typedef int64_t whole;
#define JOINED(before, kind, name, after) scipy_##before##kind##name##after
#define CBLAS_OF(kind, name) JOINED(cblas_, kind, name, 64_)
#define LAPACK_OF(kind, name) JOINED(, kind, name, _64_)
/* Where element 0 of a vector lies: with a negative step it is the last one in memory. */
static int64_t start(whole count, whole step) { return step < 0 ? (int64_t)(1 - count) * step : 0; }
#else
typedef int32_t whole;
#define JOINED(before, kind, name, after) before##kind##name##after
#define CBLAS_OF(kind, name) JOINED(cblas_, kind, name, )
#define LAPACK_OF(kind, name) JOINED(, kind, name, _)
/* std::__throw_runtime_error(const char *) of libstdc++, which OpenCV is linked with */
void throw_runtime_error(const char *) __asm__("_ZSt21__throw_runtime_errorPKc");
#endif
#define OWN_OF(kind, name) JOINED(own_, kind, name, )

enum { ROWS = 101, PLAIN = 111, CONJUGATED = 113, UPPER = 121 };

#define KIND s
#define T float
#define REAL float
#define NUMBER T
#define VALUE(number) (number)
#define CONJ(value) (value)
#define SIZE(value) fabsf(value)
#include "linear_algebra.c"

#define KIND d
#define T double
#define REAL double
#define NUMBER T
#define VALUE(number) (number)
#define CONJ(value) (value)
#define SIZE(value) fabs(value)
#include "linear_algebra.c"

#define IS_COMPLEX
#define KIND c
#define T float complex
#define REAL float
#define NUMBER const T *
#define VALUE(number) (*(number))
#define CONJ(value) conjf(value)
#define SIZE(value) (fabsf(crealf(value)) + fabsf(cimagf(value)))
#include "linear_algebra.c"

#define IS_COMPLEX
#define KIND z
#define T double complex
#define REAL double
#define NUMBER const T *
#define VALUE(number) (*(number))
#define CONJ(value) conj(value)
#define SIZE(value) (fabs(creal(value)) + fabs(cimag(value)))
#include "linear_algebra.c"

#else
#define CBLAS(name) CBLAS_OF(KIND, name)
#define LAPACK(name) LAPACK_OF(KIND, name)
#define OWN(name) OWN_OF(KIND, name)
#define TEXT_OF(kind) #kind
#define TEXT(kind) TEXT_OF(kind)

/* A matrix in memory: element (i, j) is at[i * row + j * column], conjugated if asked for. */
typedef struct {
    const T *at;
    int64_t row, column;
    int is_conjugated;
} OWN(matrix);
#define MATRIX OWN(matrix)

static T OWN(element)(MATRIX m, int64_t i, int64_t j) {
    T value = m.at[i * m.row + j * m.column];
    return m.is_conjugated ? CONJ(value) : value;
}

static MATRIX OWN(operand)(int order, int operation, const T *at, whole step) {
    int is_plain = operation == PLAIN || operation == 114; /* 114: conjugated, not transposed */
    int by_rows = (order == ROWS) == is_plain;
    return (MATRIX){at, by_rows ? step : 1, by_rows ? 1 : step, operation >= CONJUGATED};
}

static MATRIX OWN(turned)(MATRIX m) { return (MATRIX){m.at, m.column, m.row, m.is_conjugated}; }

/* c = alpha a b + beta c: c is m x n with rows `step` apart, a is m x k, b is k x n. */
static void OWN(product)(int64_t m, int64_t n, int64_t k, T alpha, MATRIX a, MATRIX b, T beta, T *c, int64_t step) {
    for (int64_t i = 0; i < m; i++) {
        T *to = c + i * step;
        for (int64_t j = 0; j < n; j++) to[j] = beta == 0 ? 0 : beta * to[j];
        if (n == 1) {
            T sum = 0;
            for (int64_t p = 0; p < k; p++) sum += OWN(element)(a, i, p) * OWN(element)(b, p, 0);
            to[0] += alpha * sum;
            continue;
        }
        for (int64_t p = 0; p < k; p++) {
            T factor = alpha * OWN(element)(a, i, p);
            const T *from = b.at + p * b.row;
            if (b.column == 1 && !b.is_conjugated)
                for (int64_t j = 0; j < n; j++) to[j] += factor * from[j];
            else
                for (int64_t j = 0; j < n; j++) to[j] += factor * OWN(element)(b, p, j);
        }
    }
}

void CBLAS(gemm)(int order, int ta, int tb, whole m, whole n, whole k, NUMBER alpha, const T *a, whole lda, const T *b,
                 whole ldb, NUMBER beta, T *c, whole ldc) {
    MATRIX first = OWN(operand)(order, ta, a, lda), second = OWN(operand)(order, tb, b, ldb);
    if (order == ROWS)
        OWN(product)(m, n, k, VALUE(alpha), first, second, VALUE(beta), c, ldc);
    else /* the transposed product is the product of the transposed factors, in turned order */
        OWN(product)(n, m, k, VALUE(alpha), OWN(turned)(second), OWN(turned)(first), VALUE(beta), c, ldc);
}

/* LU with row exchanges of a matrix in columns. Returns: 0, or the number, from 1, of the first pivot that is 0. */
static int64_t OWN(lu)(int64_t m, int64_t n, T *a, int64_t lda, whole *pivots) {
    int64_t singular = 0;
    for (int64_t j = 0; j < m && j < n; j++) {
        int64_t best = j;
        for (int64_t i = j + 1; i < m; i++)
            if (SIZE(a[i + j * lda]) > SIZE(a[best + j * lda])) best = i;
        pivots[j] = (whole)(best + 1);
        if (a[best + j * lda] == 0) {
            if (!singular) singular = j + 1;
            continue;
        }
        for (int64_t c = 0; c < n && best != j; c++) {
            T other = a[j + c * lda];
            a[j + c * lda] = a[best + c * lda];
            a[best + c * lda] = other;
        }
        for (int64_t i = j + 1; i < m; i++) a[i + j * lda] /= a[j + j * lda];
        for (int64_t c = j + 1; c < n; c++)
            for (int64_t i = j + 1; i < m; i++) a[i + c * lda] -= a[i + j * lda] * a[j + c * lda];
    }
    return singular;
}

void LAPACK(getrf)(const whole *m, const whole *n, T *a, const whole *lda, whole *pivots, whole *info) {
    *info = (whole)OWN(lu)(*m, *n, a, *lda, pivots);
}

void LAPACK(gesv)(const whole *n, const whole *columns, T *a, const whole *lda, whole *pivots, T *b, const whole *ldb,
                  whole *info) {
    int64_t size = *n, step = *lda;
    *info = (whole)OWN(lu)(size, size, a, step, pivots);
    for (int64_t c = 0; c < *columns && !*info; c++) {
        T *x = b + c * (int64_t)*ldb;
        for (int64_t i = 0; i < size; i++) {
            T other = x[i];
            x[i] = x[pivots[i] - 1];
            x[pivots[i] - 1] = other;
        }
        for (int64_t j = 0; j < size; j++)
            for (int64_t i = j + 1; i < size; i++) x[i] -= a[i + j * step] * x[j];
        for (int64_t j = size - 1; j >= 0; j--) {
            x[j] /= a[j + j * step];
            for (int64_t i = 0; i < j; i++) x[i] -= a[i + j * step] * x[j];
        }
    }
}

/* Cholesky: a = L L^H, in the lower triangle; rows and columns change places for the upper one. */
static int64_t OWN(root)(int64_t n, T *a, int64_t row, int64_t column) {
    for (int64_t j = 0; j < n; j++) {
        T *own = a + j * (row + column);
        REAL rest = (REAL)*own;
        for (int64_t p = 0; p < j; p++) {
            T value = a[j * row + p * column];
            rest -= (REAL)(value * CONJ(value));
        }
        if (!(rest > 0)) return j + 1;
        *own = (REAL)sqrt(rest);
        for (int64_t i = j + 1; i < n; i++) {
            T sum = a[i * row + j * column];
            for (int64_t p = 0; p < j; p++) sum -= a[i * row + p * column] * CONJ(a[j * row + p * column]);
            a[i * row + j * column] = sum / *own;
        }
    }
    return 0;
}

static int OWN(is_lower)(const char *part) { return *part == 'L' || *part == 'l'; }

void LAPACK(potrf)(const char *part, const whole *n, T *a, const whole *lda, whole *info) {
    *info = (whole)(OWN(is_lower)(part) ? OWN(root)(*n, a, 1, *lda) : OWN(root)(*n, a, *lda, 1));
}

#ifdef NUMPY
void CBLAS(gemv)(int order, int operation, whole m, whole n, NUMBER alpha, const T *a, whole lda, const T *x, whole incx,
                 NUMBER beta, T *y, whole incy) {
    MATRIX matrix = OWN(operand)(order, operation, a, lda);
    int is_turned = operation == 112 || operation == CONJUGATED;
    whole rows = is_turned ? n : m, columns = is_turned ? m : n;
    MATRIX vector = {x + start(columns, incx), incx, 1, 0};
    OWN(product)(rows, 1, columns, VALUE(alpha), matrix, vector, VALUE(beta), y + start(rows, incy), incy);
}

/* One triangle of c = alpha a a^T + beta c. */
void CBLAS(syrk)(int order, int part, int operation, whole n, whole k, NUMBER alpha, const T *a, whole lda, NUMBER beta,
                 T *c, whole ldc) {
    MATRIX left = OWN(operand)(order, operation, a, lda), right = OWN(turned)(left);
    int is_right_of_diagonal = (part == UPPER) == (order == ROWS);
    for (int64_t i = 0; i < n; i++) {
        int64_t from = is_right_of_diagonal ? i : 0, to = is_right_of_diagonal ? n : i + 1;
        MATRIX row = {left.at + i * left.row, left.row, left.column, left.is_conjugated};
        MATRIX some = {right.at + from * right.column, right.row, right.column, right.is_conjugated};
        OWN(product)(1, to - from, k, VALUE(alpha), row, some, VALUE(beta), c + i * (int64_t)ldc + from, ldc);
    }
}

void CBLAS(axpy)(whole n, NUMBER alpha, const T *x, whole incx, T *y, whole incy) {
    int64_t from = start(n, incx), to = start(n, incy);
    for (int64_t i = 0; i < n; i++) y[to + i * incy] += VALUE(alpha) * x[from + i * incx];
}

static T OWN(dotted)(whole n, const T *x, whole incx, const T *y, whole incy, int is_conjugated) {
    int64_t one = start(n, incx), other = start(n, incy);
    T sum = 0;
    for (int64_t i = 0; i < n; i++) {
        T value = x[one + i * incx];
        sum += (is_conjugated ? CONJ(value) : value) * y[other + i * incy];
    }
    return sum;
}

#ifdef IS_COMPLEX
void CBLAS(dotu_sub)(whole n, const T *x, whole incx, const T *y, whole incy, T *to) {
    *to = OWN(dotted)(n, x, incx, y, incy, 0);
}
void CBLAS(dotc_sub)(whole n, const T *x, whole incx, const T *y, whole incy, T *to) {
    *to = OWN(dotted)(n, x, incx, y, incy, 1);
}
#else
T CBLAS(dot)(whole n, const T *x, whole incx, const T *y, whole incy) { return OWN(dotted)(n, x, incx, y, incy, 0); }
#endif

void LAPACK(copy)(const whole *n, const T *x, const whole *incx, T *y, const whole *incy) {
    int64_t from = start(*n, *incx), to = start(*n, *incy);
    for (int64_t i = 0; i < *n; i++) y[to + i * *incy] = x[from + i * *incx];
}

/* A question for the size of the scratch memory gets "1"; the call itself fails, by an `info` that is not 0. */
static void OWN(refuse)(const char *name, T *work, const whole *lwork, whole *info) {
    *info = *lwork != -1;
    if (*info) fprintf(stderr, "This program's linear algebra has no %s%s\n", TEXT(KIND), name);
    work[0] = 1;
}
#define REFUSES(name, before, after)                                                                                   \
    void LAPACK(name) before { OWN(refuse)(#name, work, lwork, info); after; }

REFUSES(geqrf, (whole * m, whole *n, T *a, whole *lda, T *tau, T *work, whole *lwork, whole *info), )
#ifdef IS_COMPLEX
REFUSES(ungqr, (whole * m, whole *n, whole *k, T *a, whole *lda, T *tau, T *work, whole *lwork, whole *info), )
REFUSES(geev, (char *l, char *r, whole *n, T *a, whole *lda, T *w, T *vl, whole *ldvl, T *vr, whole *ldvr, T *work,
               whole *lwork, REAL *rwork, whole *info), )
REFUSES(gesdd, (char *job, whole *m, whole *n, T *a, whole *lda, REAL *s, T *u, whole *ldu, T *vt, whole *ldvt, T *work,
                whole *lwork, REAL *rwork, whole *iwork, whole *info), )
REFUSES(heevd, (char *job, char *part, whole *n, T *a, whole *lda, REAL *w, T *work, whole *lwork, REAL *rwork,
                whole *lrwork, whole *iwork, whole *liwork, whole *info), rwork[0] = 1; iwork[0] = 1)
REFUSES(gelsd, (whole * m, whole *n, whole *nrhs, T *a, whole *lda, T *b, whole *ldb, REAL *s, REAL *rcond, whole *rank,
                T *work, whole *lwork, REAL *rwork, whole *iwork, whole *info), rwork[0] = 1; iwork[0] = 1)
#else
REFUSES(orgqr, (whole * m, whole *n, whole *k, T *a, whole *lda, T *tau, T *work, whole *lwork, whole *info), )
REFUSES(geev, (char *l, char *r, whole *n, T *a, whole *lda, T *wr, T *wi, T *vl, whole *ldvl, T *vr, whole *ldvr,
               T *work, whole *lwork, whole *info), )
REFUSES(gesdd, (char *job, whole *m, whole *n, T *a, whole *lda, T *s, T *u, whole *ldu, T *vt, whole *ldvt, T *work,
                whole *lwork, whole *iwork, whole *info), )
REFUSES(syevd, (char *job, char *part, whole *n, T *a, whole *lda, T *w, T *work, whole *lwork, whole *iwork,
                whole *liwork, whole *info), iwork[0] = 1)
REFUSES(gelsd, (whole * m, whole *n, whole *nrhs, T *a, whole *lda, T *b, whole *ldb, T *s, T *rcond, whole *rank,
                T *work, whole *lwork, whole *iwork, whole *info), iwork[0] = 1)
#endif
#undef REFUSES

#elif !defined(IS_COMPLEX)
void LAPACK(posv)(const char *part, const whole *n, const whole *columns, T *a, const whole *lda, T *b, const whole *ldb,
                  whole *info) {
    int64_t size = *n, row = OWN(is_lower)(part) ? 1 : *lda, column = OWN(is_lower)(part) ? *lda : 1;
    *info = (whole)OWN(root)(size, a, row, column);
    for (int64_t c = 0; c < *columns && !*info; c++) {
        T *x = b + c * (int64_t)*ldb;
        for (int64_t i = 0; i < size; i++) {
            for (int64_t j = 0; j < i; j++) x[i] -= a[i * row + j * column] * x[j];
            x[i] /= a[i * (row + column)];
        }
        for (int64_t i = size - 1; i >= 0; i--) {
            for (int64_t j = i + 1; j < size; j++) x[i] -= a[j * row + i * column] * x[j];
            x[i] /= a[i * (row + column)];
        }
    }
}
#define REFUSES(name)                                                                                                  \
    void LAPACK(name)(void) { throw_runtime_error("This program's linear algebra has no " TEXT(KIND) #name); }
REFUSES(geev)
REFUSES(gels)
REFUSES(geqrf)
REFUSES(gesdd)
#undef REFUSES
#endif

#undef CBLAS
#undef LAPACK
#undef OWN
#undef TEXT_OF
#undef TEXT
#undef MATRIX
#undef KIND
#undef T
#undef REAL
#undef NUMBER
#undef VALUE
#undef CONJ
#undef SIZE
#undef IS_COMPLEX
#endif
