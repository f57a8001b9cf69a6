import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

/**
 * What is easily got wrong about Zircon, and the tests that hold it: the rules that its sources state, each with titles
 * of tests. A title that is gone leaves its rule without proof, and fails here.
 */
const TRAPS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'system call entry': {
    'only the result register and pc change': ['a call changes its result register and pc, and nothing else'],
    'narrow arguments, wide results': [
      'what stands above a narrow argument is not seen; a status fills the whole register',
      'calls that test calling: widening, wrapper, next, handles',
    ],
    'a bad pointer is INVALID_ARGS': [
      'zx_channel_create: INVALID_ARGS for an option or a bad out pointer, and nothing is made',
    ],
    'options, policy, pointers, handle, work': [
      'set_policy looks at its arguments before its handle; everything else at the options first',
      'zx_job_set_policy: arguments are looked at before the handle, entries after it',
    ],
  },
  vDSO: {
    'two parts, no relocations, GNU hash': [
      'two parts of whole pages, one to read and one to run',
      'the GNU hash table finds every name it holds and no other',
      'no section can be written or is outside the file',
    ],
    'executable exactly once, and for good': [
      'the vDSO: executable only as exactly its code, once',
      'the vDSO: its code cannot be unmapped, changed, overwritten, given back or destroyed',
      'zx_process_write_memory: ACCESS_DENIED in the vDSO, NO_MEMORY when no page is left',
    ],
    'every call has its place; others are BAD_SYSCALL': [
      'each call traps at its own place and nowhere else',
      'a trap from elsewhere than the vDSO: BAD_SYSCALL in place',
      'a trap with a number that no call has: BAD_SYSCALL in place',
    ],
    'one base for who shares an address space': [
      'who shares an address space shares its vDSO: mapped once for all, with one base',
    ],
    'clocks and ticks are virtual': ['all clocks and ticks are virtual time, at 10^9 ticks a second'],
  },
  'first registers': {
    'pc, sp, two arguments, tp and the ABI register': [
      'initial registers: pc without its odd bit, sp, arguments in a0 and a1, tp, gp; all else zero',
      'zx_thread_start_regs sets all six registers',
    ],
    'the first argument is a handle of the new process': [
      'process_start: the argument is a value of the new process, and gone from here whatever happens',
      'zx_process_start without a handle gives 0 as the first argument',
      'zx_process_start within one table: the argument keeps its value',
    ],
    'pc 0 will do, sp is not looked at': [
      'pc 0 is a user address; the first above the top is not; nobody looks at the stack pointer',
    ],
    'who is told of a start, in order': [
      'a debugger hears of threads that start; a job debugger of processes before that',
    ],
  },
  'address spaces': {
    'ranges, and the root': [
      'user address ranges',
      'zx_process_create gives a process and the root of its address space',
      'zx_vmar_destroy: statuses',
    ],
    'a vector below the base is a user address': [
      'zx_restricted_enter: checks in order: options, vector, bound state, registers',
    ],
    'random places, or the lowest': [
      'random addresses depend on the entropy seed alone, and are all over the address space',
      'a random place is any of those where it fits, and no other',
      'compact VMARs have 2^8 places for each new region, the lowest',
      'without ASLR each address is the lowest, and nothing is drawn',
      'a random gap is found soon in a range that is nearly full, and is one that fits',
    ],
  },
  'shared processes': {
    'two halves': [
      'zx_process_create SHARED: the upper part alone; zx_process_create_shared: the lower part on top of it',
    ],
    'one handle table, one futex table': [
      'one handle table: what one process makes the others use, and what one closes is closed for all',
      'one futex table: a thread of one process wakes that of another',
    ],
    'torn down with the last member': [
      'the shared part, the handles and the futexes stay until the last process is dead',
      'zx_process_create_shared: BAD_STATE in a dead job; a dead prototype will do while the rest lives',
      'processes that share, made and ended in any order, leave nothing behind',
    ],
    'looked up by address; restricted entries first': [
      'zx_process_read_memory and zx_process_write_memory find the part by the address',
      'lists of mappings tell of the restricted part first, lists of VMOs of the shared one',
    ],
  },
  'restricted mode': {
    bind: [
      'zx_restricted_bind_state: a VMO of one page of zeros, with the rights of a VMO',
      'zx_restricted_bind_state: the state VMO lives as long as it is bound, mapped or has a handle',
      'zx_restricted_bind_state: a bad pointer gives INVALID_ARGS and leaves the state bound',
      'a state VMO cannot be resized, cloned, decommitted or made uncached',
      'zx_restricted_unbind_state: again and again; INVALID_ARGS for options',
    ],
    'validation by architecture': [
      'a pc must be below the top of user addresses, wherever that is',
      'arm64: only the condition flags may be set',
      'x64: flags of programs, and canonical segment bases',
    ],
    'what is swapped, and zeros': [
      'zx_restricted_enter: registers come from offset 0 of the VMO; what they were is forgotten',
      'leaving by a system call: pc behind it, the registers in the VMO, zeros but for context and reason',
      'the vector finds context and reason, zeros, and the floats as they are',
    ],
    'exceptions: debugger, then vector; the report': [
      'a fault in restricted mode that no debugger takes goes to the vector',
      'leaving by an exception: pc at the instruction, the report behind the state',
      'with ZX_RESTRICTED_OPT_EXCEPTION_CHANNEL a fault that nobody handles ends the process',
      'head: the report goes where zx_restricted_bind_state was told, or is lost',
    ],
    'deaths are told to debuggers, missing pages to nobody': [
      'a debugger, not the vector, hears of a thread that is killed in restricted mode',
      'memory that a pager has yet to give is no exception in restricted mode',
    ],
    'kicks: sticky, one, before start, not in blocking calls, behind a system call': [
      'a kick before enter: at once to the vector, the VMO untouched; several are one; unbinding keeps it',
      'a kick works on a thread that has not started',
      'a kick in restricted mode waits for its next instruction there, and does not wake a thread',
      'a system call that comes before a kick leaves first, and the kick stays for the next enter',
    ],
    'suspended there, seen there': [
      'a thread that is suspended in restricted mode shows the registers that it has there, and takes others',
    ],
  },
  exceptions: {
    'the order of handlers': [
      'an exception goes to debugger, thread, process and jobs upwards, and ends the process at last',
      'second chance: the debugger is asked again behind the process',
      'who is asked, in which order, and what becomes of the thread, is what the documents say',
    ],
    'one slot each, 32 for job debuggers, free when closed': [
      'a channel is read-only, and its place is free again when it is closed',
      'a job has room for 32 debuggers that live',
    ],
    'task handles have the rights of the listener': [
      'zx_exception_get_thread and _process: handles with the rights of the listener',
    ],
    'unread is TRY_NEXT; slots that were passed are passed': [
      'an exception nobody read, and a channel that closes: the next is asked',
      'whoever comes after an exception passed is not asked',
    ],
    'a kill wins': [
      'a kill wins over everything, and the exception tells of the dead still',
      'the answer to an exception can be given after a kill, and means nothing',
      'a killed thread tells its debugger, but nobody is waited for',
      'a thread that exits waits for its debugger, dying',
    ],
    'policy exceptions come with the result': [
      'a policy exception comes with the result in place, and the thread goes on behind its call',
    ],
    'suspension is apart': ['suspension and exceptions are apart: a thread runs when it is free of both'],
  },
  'jobs and policy': {
    'taken at birth, changed only without children': [
      'policy is taken at birth, by jobs and by processes',
      'zx_job_set_policy: BAD_STATE for a job with children, or dead',
    ],
    'actions and overrides': [
      'ABSOLUTE refuses what is locked and changes nothing; RELATIVE passes it over',
      'NEW_ANY stands for every kind of object, and one entry may say otherwise',
      'tables of nested jobs are what a model of the documents says',
    ],
    BAD_HANDLE: [
      'BAD_HANDLE: denied whatever the policy, with an exception or an end where it says so',
      'BAD_HANDLE: no misuse to close nothing, or to ask whether there is something',
    ],
    'timer slack': ['timer slack grows from job to job and has its own rules'],
    'height, kill, death': [
      'zx_job_create: OUT_OF_RANGE below 32 levels, BAD_STATE in a dead job',
      'kill: children before parents, handles before TERMINATED, all of it before the call returns',
      'a job without children says so, and a job that is dead takes none',
    ],
    critical: ['a critical process takes its job along, with all in it; only on failure if that was asked'],
  },
  tasks: {
    'lives of processes': [
      'a process that never ran ends with its last handle; one that runs does not',
      'the first return code stays; a process killed before its start counts as started and exited',
      'the last thread takes its process along, with return code 0',
    ],
    'signals of threads': [
      'thread signals: none before the start, RUNNING after it, TERMINATED alone at the end',
    ],
    suspension: [
      'a suspended thread does not run until its last token is gone',
      'a wait goes on while its thread is suspended, and ends, but the thread stays',
    ],
    names: ['names: 31 bytes at most, longer ones are cut'],
  },
  'handles, koids, rights': {
    values: [
      'handle values: the two low bits set, the top bit clear, another value for each, none used again',
      'handle values mean nothing in another process, and come from the seed',
    ],
    'closing, replacing, duplicating': [
      'closing 0 is fine; close_many closes all that are good, and says that one was not',
      'duplicate looks at DUPLICATE before the rights asked for; replace needs no right and always consumes',
      'SAME_RIGHTS is that bit alone: with others it is no subset',
    ],
    'messages consume': [
      'a message that cannot go takes its handles along all the same, but not those to duplicate',
    ],
    'waits end with their handle': [
      'closing a handle cancels what waits through it, and nothing that waits through another',
    ],
    koids: [
      'koids go up from 1024, whatever kind of object, and none is used again',
      'both ends of a pair have neighbouring koids, each knows the other after its death',
    ],
    'in flight is alive': [
      'an end in flight is an end that lives: its peer is not told until the message goes',
    ],
  },
  'VMARs and VMOs': {
    'rounding and offsets': [
      'map rounds its length up; allocate, unmap and protect want whole pages',
      'offsets count from the region, addresses are absolute; an upper limit bounds the end',
    ],
    CAN_MAP_SPECIFIC: ['CAN_MAP_SPECIFIC is not inherited: a region may have it within one that has not'],
    overwrite: [
      'overwriting cuts mappings and never regions; unmapping takes whole regions for who has OP_CHILDREN',
    ],
    protect: ['protect wants every page mapped, or changes none; the rights at map time are its limit'],
    destroyed: ['a destroyed region refuses everything with BAD_STATE, and its handle is good'],
    sizes: [
      'VMOs have whole pages, and keep the size asked for as stream size; fresh pages are zero',
      'a VMO that cannot be resized says UNAVAILABLE to who may write it',
    ],
    snapshots: ['a snapshot goes its own way in both directions; ZERO_CHILDREN says whether there is one'],
  },
  'messages, ports, waits, timers, futexes': {
    channels: [
      'a closed peer leaves its messages to be read first',
      'zx_channel_read: BUFFER_TOO_SMALL tells the sizes and keeps the message',
      'zx_channel_call: numbers differ, replies find their callers in any order',
    ],
    wait_async: [
      'wait_async: fires at once when it is so already, once for each registration',
      'wait_async EDGE waits for a change; TIMESTAMP tells when; trigger is the mask asked for',
      'closing a handle ends its registrations without a word; packets that are there stay',
      'port_cancel takes what that handle registered and what it queued; user packets stay',
    ],
    waits: ['a wait that is satisfied is OK even when its time is over; what it saw is what woke it'],
    timers: ['timers: a past deadline fires at once; set and cancel clear the signal first'],
    futexes: ['futexes: the value is compared before the owner is looked up'],
    sleep: ['nanosleep until now, or before, is a yield; a sleep ends at its deadline with OK'],
  },
  'what a simulator fixes': {
    'order of waking': [
      'who registered first is told first; who waits longest at a port gets the first packet',
      'deadlines at one instant come in the order in which they were made',
      'timers due at the same time fire in the order they were set',
    ],
    reservations: ['reservations: of the same bytes, until sc, not beyond a run'],
    'floats stay': ['the vector finds context and reason, zeros, and the floats as they are'],
  },
};

/** The sources of all tests. */
function sources(): string {
  const folder = 'test';
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('traps.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

test('every rule has its tests', (t) => {
  const text = sources();
  // A title that is made of parts stands there with its parts.
  const known = (title: string): boolean =>
    text.includes(title) ||
    (title.startsWith('a trap ') && text.includes(title.slice('a trap '.length).split(':')[0]));
  for (const [section, rules] of Object.entries(TRAPS)) {
    for (const [rule, titles] of Object.entries(rules)) {
      t.true(titles.length > 0, rule);
      for (const title of titles) t.true(known(title), `${section}, ${rule}: no test '${title}'`);
    }
  }
});
