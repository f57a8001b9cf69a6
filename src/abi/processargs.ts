/** The message that starts a process. Source: zircon/processargs.h. */

/** `ZX_PROCARGS_PROTOCOL`, `ZX_PROCARGS_VERSION`. */
export const PROCARGS_PROTOCOL = 0x4150585d;
export const PROCARGS_VERSION = 0x00001000;

/** `PA_*`: what a handle in the message is for. */
export const ProcArg = {
  PROC_SELF: 0x01,
  THREAD_SELF: 0x02,
  JOB_DEFAULT: 0x03,
  VMAR_ROOT: 0x04,
  VMAR_LOADED: 0x05,
  LDSVC_LOADER: 0x10,
  VMO_VDSO: 0x11,
  VMO_STACK: 0x13,
  VMO_EXECUTABLE: 0x14,
  VMO_BOOTDATA: 0x1a,
  VMO_BOOTFS: 0x1b,
  VMO_KERNEL_FILE: 0x1c,
  VMO_COMPONENT_CONFIG: 0x1d,
  NS_DIR: 0x20,
  FD: 0x30,
  LIFECYCLE: 0x3a,
  DIRECTORY_REQUEST: 0x3b,
  ESCROWED_DICTIONARY: 0x3c,
  LOG_SINK: 0x3d,
  RESOURCE: 0x3f,
  CLOCK_UTC: 0x40,
  MMIO_RESOURCE: 0x50,
  IRQ_RESOURCE: 0x51,
  IOPORT_RESOURCE: 0x52,
  SMC_RESOURCE: 0x53,
  SYSTEM_RESOURCE: 0x54,
  USER0: 0xf0,
  USER1: 0xf1,
  USER2: 0xf2,
} as const;

export type ProcArgName = keyof typeof ProcArg;

/** `PA_HND(type, arg)`: the 32-bit word that describes one handle. */
export function handleInfo(type: number, arg: number): number {
  return (((arg & 0xffff) << 16) | (type & 0xff)) >>> 0;
}
