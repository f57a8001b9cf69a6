// errno is per thread. Only the library calls that C says set it do; Zircon calls return zx_status_t instead.
#ifndef JACINTH_ERRNO_H
#define JACINTH_ERRNO_H

#define ENOMEM 12
#define EINVAL 22
#define EDOM 33
#define ERANGE 34

int *__errno_location(void);
#define errno (*__errno_location())

#endif
