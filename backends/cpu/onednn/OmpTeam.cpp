#include "backends/cpu/onednn/OmpTeam.h"

#include <omp.h>

void hexin_omp_set_threads(unsigned threads) {
  omp_set_dynamic(0);
  omp_set_num_threads(static_cast<int>(threads));
}

void hexin_omp_with_threads(unsigned threads, void (*body)(void *context),
                            void *context) {
  int before = omp_get_max_threads();
  omp_set_num_threads(static_cast<int>(threads));
  body(context);
  omp_set_num_threads(before);
}

void hexin_omp_parallel(unsigned threads,
                        void (*body)(void *context, unsigned index, unsigned count),
                        void *context) {
#pragma omp parallel num_threads(threads)
  body(context, static_cast<unsigned>(omp_get_thread_num()),
       static_cast<unsigned>(omp_get_num_threads()));
}
