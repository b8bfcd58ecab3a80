// What happened, in one line: each event of a goal as people are told it.
import type { EventFrame } from 'rpc';
import { t, word, type Key } from '../i18n/index.svelte.ts';
import { length, usd } from './format.ts';
import type { Tone } from './goal-view.svelte.ts';

/** A line, and what else there is to it. */
export interface Told {
  text: string;
  tone: Tone;
  /** More, as it was said or printed: only ever shown as text. */
  detail?: string;
  /** Figures at the end of the line. */
  figures?: string;
  /** Whether `text` is a command, or a path. */
  isCommand?: boolean;
  /** The step whose output is in the journal. */
  printed?: { runId: string; step: number };
}

export function describe(event: EventFrame): Told {
  const happened = (tone: Tone, values?: Record<string, string | number>): Told => ({ text: t(`event.${event.event}` as Key, values), tone });
  switch (event.event) {
    case 'goal.created':
    case 'goal.updated':
    case 'goal.started':
    case 'goal.compacted':
    case 'goal.cancelled':
      return happened('soft');
    case 'goal.completed':
      return { ...happened('good', { verdict: word('status', event.data.verdict) }), detail: event.data.summary };
    case 'goal.failed':
      return { ...happened('bad'), detail: event.data.error.message };
    case 'goal.blocked':
      return { ...happened('warn'), detail: event.data.summary };
    case 'goal.replanning':
      return { ...happened('warn'), detail: event.data.why };
    case 'goal.elaborated':
      return { ...happened('soft'), detail: event.data.assumptions.join('\n') };
    case 'workitem.created':
    case 'workitem.updated':
    case 'workitem.started':
    case 'workitem.added':
      return happened('soft', { title: event.data.workItem.title });
    case 'workitem.completed':
      return happened('good', { title: event.data.workItem.title, verdict: word('status', event.data.verdict) });
    case 'workitem.failed':
    case 'workitem.blocked':
      return { ...happened(event.event === 'workitem.failed' ? 'bad' : 'warn', { title: event.data.workItem.title }), detail: event.data.error.message };
    case 'run.started':
      return happened('soft', { n: event.data.run.run_sequence });
    case 'run.continued':
      return { ...happened('warn'), detail: event.data.why };
    case 'run.executed': {
      const { run } = event.data;
      if (run.agent_type !== 'command') return happened('soft');
      // A command is the first step of its run.
      return { text: t('event.run.exited', { code: run.exit_code ?? '—' }), tone: run.exit_code === 0 ? 'plain' : 'bad', printed: { runId: run.id, step: 1 } };
    }
    case 'run.completed':
      return { ...happened(event.data.success ? 'soft' : 'bad', { status: word('status', event.data.run.status) }), ...(event.data.error && { detail: event.data.error.message }) };
    case 'model.requested':
      return happened('soft', { model: event.data.model });
    case 'model.answered': {
      const { model, tokens, costUsd, durationMs, calls } = event.data;
      const figures = [model, t('now.tokens', { n: tokens }), costUsd && usd(costUsd), length(durationMs)].filter(Boolean).join(' · ');
      const next = calls.map((call) => `→ ${call.title}`).join('\n');
      const said = event.data.text.trim();
      return said ? { text: said, tone: 'plain', figures, ...(next && { detail: next }) } : { text: next || model, tone: 'soft', figures };
    }
    case 'model.failed':
      return { ...happened('bad', { model: event.data.model }), detail: event.data.error.message };
    case 'tool.completed': {
      const tone: Tone = event.data.outcome === 'ok' || event.data.outcome === 'finished' ? 'plain' : 'bad';
      const { title, tool, found, durationMs, runId, step } = event.data;
      if (title === found) return { text: title, tone, figures: length(durationMs) };
      return { text: title || tool, tone, isCommand: true, detail: found, figures: length(durationMs), ...(runId && { printed: { runId, step } }) };
    }
    case 'guard.tripped':
      return { ...happened('warn', { guard: word('guard', event.data.guard) }), detail: event.data.found };
    case 'conversation.condensed':
    case 'verification.started':
      return happened('soft');
    case 'verification.completed':
      return { ...happened(event.data.passed ? 'good' : 'bad'), detail: event.data.summary };
    case 'gate.completed':
      return { ...happened(event.data.gate.passed ? 'good' : 'bad', { name: event.data.gate.name }), detail: event.data.gate.found, figures: length(event.data.gate.duration_ms) };
    case 'evaluation.decided':
      return { ...happened('warn', { decision: word('decision', event.data.decision) }), detail: event.data.reason };
    case 'escalation.created':
    case 'approval.requested':
      return { ...happened('warn'), detail: event.data.escalation.title };
    case 'escalation.resolved':
      return happened('soft', { action: word('answer', event.data.action), by: event.data.resolvedBy });
    case 'approval.granted':
      return happened('good', { by: event.data.grantedBy });
    case 'approval.denied':
      return happened('bad', { by: event.data.deniedBy });
    case 'budget.warning':
      return happened('warn', { cap: word('cap', event.data.cap), percent: event.data.percent });
    case 'budget.exceeded':
      return happened('bad', { cap: word('cap', event.data.cap) });
    case 'approval.expired':
    case 'approval.voided':
      return happened('warn');
    case 'approval.used':
      return happened('soft');
    case 'gate.approved':
      return happened('warn', { by: event.data.approvedBy });
    case 'artifact.created': {
      const { partial, file_path: path } = event.data.artifact;
      return partial ? { text: t('event.artifact.partial', { path }), tone: 'warn' } : happened('good', { path });
    }
    default:
      return { text: event.event, tone: 'soft' };
  }
}

/** Whether an event is one that only who looks for details wants to see. */
export function isDetail(event: EventFrame): boolean {
  // What a command printed stands there; an agent's tools have lines of their own.
  if (event.event === 'run.executed') return event.data.run.agent_type !== 'command';
  return ['goal.updated', 'workitem.updated', 'workitem.created', 'model.requested', 'run.started', 'verification.started', 'approval.used'].includes(event.event);
}
