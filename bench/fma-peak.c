/* The most multiply-adds that the cores of a machine do: what GFLOP/s of a training step are compared with.
 *
 *     cc -O3 -march=native -pthread -o fma-peak bench/fma-peak.c && ./fma-peak 2
 *
 * Each thread multiplies and adds on 16 vector registers without touching memory, for a second; the total is printed in GFLOP/s.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef float vector __attribute__((vector_size(64)));
enum { registers = 16 };
static volatile float sink;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static void *work(void *result) {
  vector sums[registers], factor;
  for (int lane = 0; lane < 16; lane++) factor[lane] = 0.999f + lane * 1e-6f;
  for (int r = 0; r < registers; r++) sums[r] = factor * (float)(r + 1);
  double start = now(), operations = 0;
  while (now() - start < 1) {
    for (int i = 0; i < 100000; i++) {
      for (int r = 0; r < registers; r++) sums[r] = sums[r] * factor + factor;
    }
    operations += 100000.0 * registers * 16 * 2;
  }
  double rate = operations / (now() - start);
  for (int r = 1; r < registers; r++) sums[0] += sums[r];
  sink = sums[0][0];
  *(double *)result = rate;
  return NULL;
}

int main(int count, char **arguments) {
  int threads = count > 1 ? atoi(arguments[1]) : 1;
  pthread_t ids[64];
  double rates[64], total = 0;
  for (int t = 0; t < threads; t++) pthread_create(&ids[t], NULL, work, &rates[t]);
  for (int t = 0; t < threads; t++) {
    pthread_join(ids[t], NULL);
    total += rates[t];
  }
  printf("%.0f\n", total / 1e9);
  return 0;
}
