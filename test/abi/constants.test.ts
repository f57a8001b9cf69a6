import test from 'ava';
import { exceptionName } from '../../src/abi/exceptions.js';
import { INFO_TOPICS, InfoTopic, infoTopicName } from '../../src/abi/info.js';
import { ObjectType, objectTypeName } from '../../src/abi/object-types.js';
import { NEW_ANY_CONDITIONS, POLICY_CONDITION_COUNT, PolicyCondition } from '../../src/abi/policy.js';
import { handleInfo } from '../../src/abi/processargs.js';
import {
  ALL_RIGHTS,
  DEFAULT_RIGHTS,
  EXCEPTION_CHANNEL_RIGHTS,
  RIGHTS_BASIC,
  Right,
  rightsNames,
  SYSTEM_EVENT_RIGHTS,
} from '../../src/abi/rights.js';
import { Signal, settableSignals, signalNames } from '../../src/abi/signals.js';
import { Status, statusName } from '../../src/abi/status.js';
import { ADDRESS_SPACES, VM_ALLOCATE_OPTIONS, VM_MAP_OPTIONS, VM_PROTECT_OPTIONS } from '../../src/abi/vm.js';

/** The masks as published, not as sums of names. */
const DEFAULT_RIGHTS_PINS = {
  channel: 0xf00e,
  event: 0xd003,
  eventpair: 0xf003,
  fifo: 0xf00f,
  port: 0x800f,
  socket: 0x10f0cf,
  timer: 0xd00b,
  job: 0x7dfcf,
  process: 0x6d3cf,
  thread: 0x4d2cf,
  vmo: 0xd0ef,
  vmar: 0x208003,
  exception: 0x80c2,
  'suspend-token': 0x8002,
  clock: 0xd0cf,
  stream: 0xd0c3,
  counter: 0xd00f,
  iob: 0xf0ef,
  'iob-shared-region': 0xd0c3,
  pager: 0x1808002,
  profile: 0x88003,
  resource: 0x800b,
  debuglog: 0xd00b,
  interrupt: 0xd00f,
  bti: 0x80ef,
  pmt: 0x8000,
  guest: 0x4800b,
  vcpu: 0xd01f,
  iommu: 0x8003,
  msi: 0xc003,
  'pci-device': 0xc00f,
} as const;

test('default rights are the published masks', (t) => {
  t.deepEqual(DEFAULT_RIGHTS, DEFAULT_RIGHTS_PINS);
  t.is(SYSTEM_EVENT_RIGHTS, 0x4003);
  t.is(EXCEPTION_CHANNEL_RIGHTS, 0x4006);
  t.is(RIGHTS_BASIC, 0xc003);
  t.is(ALL_RIGHTS, 0x1ffffff);
});

test('rights are named lowest bit first, unknown bits as they are', (t) => {
  t.deepEqual(rightsNames(0x5), ['DUPLICATE', 'READ']);
  t.deepEqual(rightsNames(Right.NONE), []);
  t.deepEqual(rightsNames(Right.SAME_RIGHTS), ['SAME_RIGHTS']);
  t.deepEqual(rightsNames(0x40000001), ['DUPLICATE', '0x40000000']);
  t.deepEqual(rightsNames(-1).length, 27);
});

test('statuses have their names, other numbers their digits', (t) => {
  t.is(statusName(Status.ERR_BAD_HANDLE), 'ZX_ERR_BAD_HANDLE');
  t.is(statusName(0), 'ZX_OK');
  t.is(statusName(-61), 'ZX_ERR_NEXT');
  t.is(statusName(-5), '-5');
  t.is(new Set(Object.values(Status)).size, 47);
});

test('object types', (t) => {
  t.is(Object.keys(ObjectType).length, 31);
  t.is(objectTypeName(ObjectType['suspend-token']), 'suspend-token');
  t.is(objectTypeName(27), 'suspend-token');
  t.is(objectTypeName(7), '7');
});

test('events and event pairs take SIGNALED from programs, others user signals only', (t) => {
  t.is(settableSignals('event'), 0xff000008);
  t.is(settableSignals('eventpair'), 0xff000008);
  t.is(settableSignals('channel'), 0xff000000);
  t.is(settableSignals('job'), 0xff000000);
});

test('signals are named by the object they are seen on', (t) => {
  t.deepEqual(signalNames('channel', Signal.CHANNEL_READABLE | Signal.CHANNEL_PEER_CLOSED), [
    'READABLE',
    'PEER_CLOSED',
  ]);
  t.deepEqual(signalNames('process', 0x8), ['TERMINATED']);
  t.deepEqual(signalNames('debuglog', 0x1), ['READABLE']);
  t.deepEqual(signalNames('event', 0x80800010), ['0x10', 'HANDLE_CLOSED', 'USER_7']);
});

test('NEW_ANY stands for the thirteen NEW conditions', (t) => {
  t.is(NEW_ANY_CONDITIONS.length, 13);
  t.false(NEW_ANY_CONDITIONS.includes(PolicyCondition.NEW_ANY));
  t.is(Math.max(...Object.values(PolicyCondition)) + 1, POLICY_CONDITION_COUNT);
});

test('user address ranges', (t) => {
  t.deepEqual(ADDRESS_SPACES, {
    riscv64: { base: 0x200000, top: 0x4000000000, restrictedTop: 0x2000000000, sharedBase: 0x2000001000 },
    arm64: { base: 0x200000, top: 0xffffff000000, restrictedTop: 0x800000000000, sharedBase: 0x800000001000 },
    x64: { base: 0x200000, top: 0x7ffffffff000, restrictedTop: 0x400000000000, sharedBase: 0x400000001000 },
  });
});

test('option masks of the VMAR calls', (t) => {
  t.is(VM_ALLOCATE_OPTIONS, 0xff0023d8);
  t.is(VM_MAP_OPTIONS, 0xff00fc37);
  t.is(VM_PROTECT_OPTIONS, 0x4007);
});

test('every topic has its description, versions in the top bits', (t) => {
  t.deepEqual(Object.keys(INFO_TOPICS), Object.keys(InfoTopic));
  t.is(InfoTopic.PROCESS_VMOS as number, 3 * 2 ** 28 + 14);
  t.is(infoTopicName(2), 'ZX_INFO_HANDLE_BASIC');
  t.is(infoTopicName(0x77), '0x77');
  t.is(INFO_TOPICS.HANDLE_TABLE.rights, Right.INSPECT | Right.MANAGE_PROCESS | Right.MANAGE_THREAD);
});

test('handle descriptions of the start message', (t) => {
  t.is(handleInfo(0x30, 2), 0x00020030);
  t.is(handleInfo(0xff, 0xffff), 0xffff00ff);
});

test('exception names', (t) => {
  t.is(exceptionName(0x108), 'ZX_EXCP_FATAL_PAGE_FAULT');
  t.is(exceptionName(0x8309), 'ZX_EXCP_USER');
  t.is(exceptionName(1), '0x1');
});
