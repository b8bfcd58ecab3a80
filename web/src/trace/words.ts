// What spans, and what was said in them, are called.
import type { DebugEvent } from 'rpc';
import { t, word } from '../i18n/index.svelte.ts';
import { shell } from '../lib/format.ts';
import { dataOf, type Span } from './spans.ts';

/** What a span is called, in the person's language. */
export function nameOf(span: Span): string {
  if (span.kind === 'phase') return word('phase', span.name);
  if (span.kind === 'model') return t('trace.turn');
  if (span.kind !== 'run') return span.name || span.id;
  if (span.purpose === 'plan') return t('goal.planning');
  return span.purpose === 'review' ? word('gate', 'review') : span.name || span.id;
}

/** What else tells it from others like it: which attempt, which model, what a tool is called with. */
export function aboutOf(span: Span): string {
  if (span.kind === 'run') return span.attempt === undefined ? '' : t('goal.attempt', { n: span.attempt });
  if (span.kind === 'model') return span.name;
  const call = span.events.find((event) => event.type === 'tool.invoke');
  return call ? argumentsOf(dataOf(call).args) : '';
}

/** The arguments of a tool in one line: its command, its file, or all of them. */
export function argumentsOf(args: unknown): string {
  if (typeof args === 'string') return args;
  if (typeof args !== 'object' || args === null) return '';
  const { argv, path } = args as { argv?: unknown; path?: unknown };
  if (Array.isArray(argv)) return shell(argv.map(String));
  return typeof path === 'string' ? path : JSON.stringify(args);
}

/** Something that was said or printed, with who did. */
export interface Words {
  who: string;
  text: string;
}

type Part = { type?: string; content?: unknown; name?: string; arguments?: unknown; response?: unknown };

const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

function ofPart(part: Part): string {
  if (part.type === 'tool_call') return `→ ${part.name ?? ''} ${argumentsOf(part.arguments)}`;
  return asText(part.type === 'tool_call_response' ? part.response : (part.content ?? part));
}

/** The messages of a request that are new since the last answer. */
function ofRequest(event: DebugEvent): Words[] {
  const messages = dataOf(event)['gen_ai.input.messages'];
  if (!Array.isArray(messages)) return messages === undefined ? [] : [{ who: t('trace.prompt'), text: asText(messages) }];
  return (messages as { role?: string; parts?: Part[] }[]).map((message) => ({
    who: word('role', message.role ?? ''),
    text: (message.parts ?? []).map(ofPart).join('\n'),
  }));
}

function ofResponse(event: DebugEvent): Words[] {
  const response = dataOf(event).response;
  if (typeof response !== 'object' || response === null) return response === undefined ? [] : [{ who: t('trace.response'), text: asText(response) }];
  const { text, thought, calls } = response as { text?: string; thought?: string; calls?: unknown[] };
  return [
    ...(thought ? [{ who: t('live.thought'), text: thought }] : []),
    ...(text ? [{ who: t('trace.response'), text }] : []),
    ...(calls?.length ? [{ who: t('trace.calls'), text: calls.map(asText).join('\n') }] : []),
  ];
}

function ofArguments(event: DebugEvent): Words[] {
  const { args } = dataOf(event) as { args?: { argv?: unknown } };
  if (args === undefined || args === null) return [];
  if (Array.isArray(args.argv)) return [{ who: t('call.argv'), text: argumentsOf(args) }];
  return [{ who: t('call.arguments'), text: asText(args) }];
}

/** What was said, called and printed in a span, in its order; of a turn, what was in its calls. */
export function wordsOf(span: Span): Words[] {
  if (span.kind === 'model') return span.children.flatMap(wordsOf);
  return span.events.flatMap((event): Words[] => {
    const data = dataOf(event);
    const one = (who: string, value: unknown): Words[] => (value === undefined || value === null || value === '' ? [] : [{ who, text: asText(value) }]);
    switch (event.type) {
      case 'llm.request':
        return ofRequest(event);
      case 'llm.response':
        return ofResponse(event);
      case 'tool.invoke':
        return ofArguments(event);
      case 'tool.result':
        return one(t('trace.result'), data.result);
      case 'gate.ended':
        return [...one(t('gate.found'), data.found), ...one(t('trace.output'), data.output)];
      case 'llm.error':
      case 'tool.error':
      case 'scheduler.goal.failed':
        return one(t('trace.error'), data.error);
      default:
        return [];
    }
  });
}

/** What is left out of texts, as the trace marks it, and the words that tell of it. */
const MARKS = [
  [/\[(redacted|hidden)\]/, 'trace.redacted'],
  [/\[truncated\]/, 'trace.truncated'],
  [/\[\d+ bytes, blake3 [0-9a-f]+\]/, 'trace.digests'],
] as const;

/** What is said of parts that the trace does not keep. */
export const leftOutOf = (words: Words[]) => MARKS.filter(([mark]) => words.some((one) => mark.test(one.text))).map(([, key]) => key);
