import { ExceptionState as Answer, ExceptionChannelType, ExceptionType } from '../abi/exceptions.js';
import { PolicyAction, PolicyCondition, PolicyOverride } from '../abi/policy.js';
import { ThreadStateKind } from '../abi/threads.js';
import type { KernelEvent } from '../kernel/objects/events.js';
import type { JobPolicy } from '../kernel/objects/policy.js';

/** The constant's name, or the number that is none. */
function nameIn(constants: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(constants).find(([, each]) => each === value)?.[0] ?? `0x${value.toString(16)}`;
}

/** Events about exceptions, debuggers and what jobs forbid; null for all others. */
export function exceptionEventText(event: KernelEvent): string | null {
  switch (event.type) {
    case 'exception-created':
      return `makes exception ${event.koid}: ${nameIn(ExceptionType, event.exceptionType)}`;
    case 'exception-sent': {
      const channel = nameIn(ExceptionChannelType, event.handler.channelType);
      return `exception ${event.koid} goes to the ${channel} channel`;
    }
    case 'exception-answer-set':
      return `exception ${event.koid} will be ${nameIn(Answer, event.answer)}`;
    case 'exception-channel-bound':
      return `channel ${event.slot.channel} gets exceptions of ${event.task} as its ${event.place}`;
    case 'thread-state-written':
      return `${nameIn(ThreadStateKind, event.kind)} of thread ${event.thread} are written`;
    case 'job-policy-set':
      return `policy of job ${event.koid}: ${policyText(event.policy)}`;
    default:
      return null;
  }
}

/** What is not as the root job's. */
function policyText({ actions, overrides, minSlackNs, slackMode }: JobPolicy): string {
  const parts: string[] = [];
  for (const [name, condition] of Object.entries(PolicyCondition)) {
    const action = actions[condition] ?? PolicyAction.ALLOW;
    const locked = overrides[condition] === PolicyOverride.DENY;
    if (action === PolicyAction.ALLOW && !locked) continue;
    parts.push(`${name} ${nameIn(PolicyAction, action)}${locked ? ' for good' : ''}`);
  }
  if (minSlackNs > 0n || slackMode !== 0) parts.push(`timers ${minSlackNs} ns late, way ${slackMode}`);
  return parts.length === 0 ? 'all is allowed' : parts.join(', ');
}
