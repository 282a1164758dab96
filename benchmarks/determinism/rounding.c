/* Functions of single precision that C libraries round each in its own way: here, wrong by one
 * unit in the last place. Loaded before the C library, this shows whether products depend on
 * them. Those of double precision, and the exp, log, sin, cos and pow of single precision, have
 * been the same in glibc since 2.28. */
#define _GNU_SOURCE
#include <math.h>

#define ONE(name) \
    float name##f(float x) { return nextafterf((float)name((double)x), INFINITY); }
#define TWO(name) \
    float name##f(float x, float y) { return nextafterf((float)name((double)x, (double)y), INFINITY); }

ONE(tan)
ONE(asin)
ONE(acos)
ONE(atan)
ONE(sinh)
ONE(cosh)
ONE(asinh)
ONE(acosh)
ONE(atanh)
ONE(expm1)
ONE(log1p)
ONE(log10)
ONE(cbrt)
ONE(erf)
ONE(erfc)
ONE(tgamma)
ONE(lgamma)
TWO(atan2)
