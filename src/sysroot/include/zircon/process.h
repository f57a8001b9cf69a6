#ifndef ZIRCON_PROCESS_H_
#define ZIRCON_PROCESS_H_

#include <zircon/compiler.h>
#include <zircon/types.h>

__BEGIN_CDECLS

// Handles that the process began with. They stay the process's own: do not close them.
zx_handle_t zx_process_self(void);
zx_handle_t zx_vmar_root_self(void);
zx_handle_t zx_job_default(void);
zx_handle_t _zx_process_self(void);
zx_handle_t _zx_vmar_root_self(void);
zx_handle_t _zx_job_default(void);

// The calling thread.
zx_handle_t zx_thread_self(void);
zx_handle_t _zx_thread_self(void);

// Hands over a handle of the start message by its PA_HND value (zircon/processargs.h), once: afterwards, and when
// there was none, ZX_HANDLE_INVALID.
zx_handle_t zx_take_startup_handle(uint32_t hnd_info);

__END_CDECLS

#endif  // ZIRCON_PROCESS_H_
