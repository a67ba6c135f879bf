/*===- OmpTeam.h - the OpenMP calls, apart
 * ----------------------------------------------===
 *
 * oneDNN's packages use gcc's OpenMP library, for which clang makes no parallel code;
 * so OmpTeam.cpp alone holds pragmas and is always compiled by g++.
 *===-------------------------------------------------------------------------------------===*/
#ifndef HEXIN_BACKENDS_CPU_ONEDNN_OMPTEAM_H
#define HEXIN_BACKENDS_CPU_ONEDNN_OMPTEAM_H

extern "C" {
/* As the functions of hexin_onednn_api without the prefix. */
void hexin_omp_set_threads(unsigned threads);
void hexin_omp_with_threads(unsigned threads, void (*body)(void *context), void *context);
void hexin_omp_parallel(unsigned threads,
                        void (*body)(void *context, unsigned index, unsigned count),
                        void *context);
}

#endif /* HEXIN_BACKENDS_CPU_ONEDNN_OMPTEAM_H */
