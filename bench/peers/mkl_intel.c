/* Lets MKL take its AVX-512 path on processors of another maker, as it would on an Intel one. For the bench only:
 *
 *     cc -shared -fPIC -O2 -o mkl_intel.so mkl_intel.c
 *     LD_PRELOAD=./mkl_intel.so python train_step.py ...
 */
int mkl_serv_intel_cpu_true(void) { return 1; }
