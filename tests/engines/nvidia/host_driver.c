/* The part of the CUDA driver API that the CUDA helper reaches through PyCUDA or cuda-bindings, on host memory: one GPU, streams that
   do everything at once. Names and signatures are those of cuda.h. What is missing answers CUDA_ERROR_NOT_SUPPORTED. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned long long address;
enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201 };

#define MEMORY ((size_t)1 << 32)
#define HEADER 64

static size_t used;
static __thread int depth;  /* of this thread's stack of contexts */
static int retained;
static const char *const NAME = "Host memory GPU";

int cuInit(unsigned flags) { return SUCCESS; }
int cuDriverGetVersion(int *version) { *version = 13000; return SUCCESS; }
int cuGetErrorString(int error, const char **text) {
    *text = error == OUT_OF_MEMORY ? "out of memory" : error == INVALID_CONTEXT ? "invalid device context" : "error";
    return SUCCESS;
}

int cuDeviceGetCount(int *count) { *count = 1; return SUCCESS; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return ordinal ? 101 : SUCCESS; }
int cuDeviceGetName(char *name, int size, int device) { strncpy(name, NAME, size); return SUCCESS; }
int cuDeviceComputeCapability(int *major, int *minor, int device) { *major = 9; *minor = 0; return SUCCESS; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 9 : 0;  /* compute capability: 75 is the number before the point, 76 that behind it */
    return SUCCESS;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { retained++; *context = &retained; return SUCCESS; }
int cuDevicePrimaryCtxRelease_v2(int device) { return retained-- > 0 ? SUCCESS : INVALID_CONTEXT; }

int cuCtxPushCurrent_v2(void *context) { depth++; return SUCCESS; }
int cuCtxPopCurrent_v2(void **context) {
    if (!depth) return INVALID_CONTEXT;
    depth--;
    if (context) *context = &retained;
    return SUCCESS;
}
int cuCtxGetDevice(int *device) { *device = 0; return depth ? SUCCESS : INVALID_CONTEXT; }
int cuCtxSynchronize(void) { return depth ? SUCCESS : INVALID_CONTEXT; }

int cuStreamCreate(void **stream, unsigned flags) { *stream = malloc(8); return depth ? SUCCESS : INVALID_CONTEXT; }
int cuStreamDestroy_v2(void *stream) { free(stream); return SUCCESS; }
int cuStreamSynchronize(void *stream) { return depth ? SUCCESS : INVALID_CONTEXT; }
int cuStreamQuery(void *stream) { return SUCCESS; }

int cuEventCreate(void **event, unsigned flags) {
    *event = calloc(1, sizeof(struct timespec));
    return depth ? SUCCESS : INVALID_CONTEXT;
}
int cuEventDestroy_v2(void *event) { free(event); return SUCCESS; }
int cuEventRecord(void *event, void *stream) {
    clock_gettime(CLOCK_MONOTONIC, event);
    return depth ? SUCCESS : INVALID_CONTEXT;
}
int cuEventSynchronize(void *event) { return depth ? SUCCESS : INVALID_CONTEXT; }
int cuEventQuery(void *event) { return SUCCESS; }
static int elapsed(float *ms, struct timespec *start, struct timespec *end) {
    *ms = 1e3f * (float)(end->tv_sec - start->tv_sec) + 1e-6f * (float)(end->tv_nsec - start->tv_nsec);
    return SUCCESS;
}
int cuEventElapsedTime(float *ms, void *start, void *end) { return elapsed(ms, start, end); }
int cuEventElapsedTime_v2(float *ms, void *start, void *end) { return elapsed(ms, start, end); }

int cuMemGetInfo_v2(size_t *free, size_t *total) {
    *total = MEMORY;
    *free = MEMORY - used;
    return depth ? SUCCESS : INVALID_CONTEXT;
}
int cuMemAlloc_v2(address *memory, size_t bytes) {
    if (!depth) return INVALID_CONTEXT;
    if (bytes > MEMORY - used) return OUT_OF_MEMORY;
    char *block = malloc(bytes + HEADER);
    if (!block) return OUT_OF_MEMORY;
    *(size_t *)block = bytes;
    used += bytes;
    *memory = (address)(block + HEADER);
    return SUCCESS;
}
int cuMemFree_v2(address memory) {
    char *block = (char *)memory - HEADER;
    used -= *(size_t *)block;
    free(block);
    return depth ? SUCCESS : INVALID_CONTEXT;
}
int cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) {
    *memory = malloc(bytes);
    return depth ? SUCCESS : INVALID_CONTEXT;
}
int cuMemFreeHost(void *memory) { free(memory); return depth ? SUCCESS : INVALID_CONTEXT; }
int cuMemcpyHtoDAsync_v2(address to, const void *from, size_t bytes, void *stream) {
    memcpy((void *)to, from, bytes);
    return depth ? SUCCESS : INVALID_CONTEXT;
}
int cuMemcpyDtoHAsync_v2(void *to, address from, size_t bytes, void *stream) {
    memcpy(to, (void *)from, bytes);
    return depth ? SUCCESS : INVALID_CONTEXT;
}
int cuMemcpyDtoDAsync_v2(address to, address from, size_t bytes, void *stream) {
    memcpy((void *)to, (void *)from, bytes);
    return depth ? SUCCESS : INVALID_CONTEXT;
}

/* cuda-bindings asks for every call by its name, in the newest form that there is. */
int cuGetProcAddress_v2(const char *symbol, void **call, int version, unsigned long long flags, int *status) {
    char newer[128];
    snprintf(newer, sizeof newer, "%s_v2", symbol);
    *call = dlsym(RTLD_DEFAULT, newer);
    if (!*call) *call = dlsym(RTLD_DEFAULT, symbol);
    if (status) *status = *call ? 0 : 1;
    return *call ? SUCCESS : 500;
}
