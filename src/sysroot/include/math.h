// The part of C's math library that needs no approximation: every result is exact or correctly rounded, so it
// is the same on every machine. Functions with rounding freedom (sin, exp, log, pow …) are not provided.
#ifndef JACINTH_MATH_H
#define JACINTH_MATH_H

#define HUGE_VAL __builtin_huge_val()
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define M_PI 3.14159265358979323846

#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)
#define isfinite(x) __builtin_isfinite(x)
#define signbit(x) __builtin_signbit(x)

double ceil(double x);
double copysign(double magnitude, double sign);
double fabs(double x);
double floor(double x);
double fma(double x, double y, double z);
double fmax(double x, double y);
double fmin(double x, double y);
double fmod(double x, double y);
double round(double x);
double sqrt(double x);
double trunc(double x);

float fabsf(float x);
float sqrtf(float x);

#endif
