/** `zx_obj_type_t` values by the lower-case name used in tables, traces and diffs. Source: zircon/types.h. */
export const ObjectType = {
  process: 1,
  thread: 2,
  vmo: 3,
  channel: 4,
  event: 5,
  port: 6,
  interrupt: 9,
  'pci-device': 11,
  debuglog: 12,
  socket: 14,
  resource: 15,
  eventpair: 16,
  job: 17,
  vmar: 18,
  fifo: 19,
  guest: 20,
  vcpu: 21,
  timer: 22,
  iommu: 23,
  bti: 24,
  profile: 25,
  pmt: 26,
  'suspend-token': 27,
  pager: 28,
  exception: 29,
  clock: 30,
  stream: 31,
  msi: 32,
  iob: 33,
  counter: 34,
  'iob-shared-region': 35,
} as const;

export type ObjectTypeName = keyof typeof ObjectType;
export type ObjectType = (typeof ObjectType)[ObjectTypeName];

/** `ZX_OBJ_TYPE_NONE`: "any type" in a handle disposition. */
export const OBJECT_TYPE_NONE = 0;
/** `ZX_OBJ_TYPE_UPPER_BOUND`: above every type that will ever be given out. */
export const OBJECT_TYPE_UPPER_BOUND = 64;

const NAMES: ReadonlyMap<number, ObjectTypeName> = new Map(
  (Object.entries(ObjectType) as [ObjectTypeName, number][]).map(([name, value]) => [value, name]),
);

/** The name of a type number; an unknown number is given as decimal text. */
export function objectTypeName(type: number): string {
  return NAMES.get(type) ?? String(type);
}
