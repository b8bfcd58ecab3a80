// The panels. A new one is a file in `panels/`, its words in `i18n/`, and a line here.
import type { Component } from 'svelte';
import type { Key } from './i18n/index.svelte.ts';
import type { IconName } from './parts/icons.ts';
import Chat from './panels/Chat.svelte';
import Goal from './panels/Goal.svelte';
import History from './panels/History.svelte';
import Inbox from './panels/Inbox.svelte';
import NewGoal from './panels/NewGoal.svelte';
import Now from './panels/Now.svelte';
import Schedules from './panels/Schedules.svelte';
import System from './panels/System.svelte';

export interface Panel {
  /** Its place: `#/ID`. */
  id: string;
  title: Key;
  /** What is pressed after `g`; one without is reached from elsewhere, and not in the list. */
  key?: string;
  icon?: IconName;
  /** Whether it has a place of its own where there is little room. */
  isFirst?: boolean;
  /** What of the address is given to it as `args`. */
  component: Component<{ args: string[] }>;
}

export const panels: Panel[] = [
  { id: 'now', title: 'nav.now', key: 'n', icon: 'now', isFirst: true, component: Now },
  { id: 'inbox', title: 'nav.inbox', key: 'i', icon: 'inbox', isFirst: true, component: Inbox },
  { id: 'new', title: 'nav.new', key: 'g', icon: 'new', isFirst: true, component: NewGoal },
  { id: 'chat', title: 'nav.chat', key: 'c', icon: 'chat', isFirst: true, component: Chat },
  { id: 'history', title: 'nav.history', key: 'h', icon: 'history', component: History },
  { id: 'schedules', title: 'nav.schedules', key: 's', icon: 'schedules', component: Schedules },
  { id: 'system', title: 'nav.system', key: 'y', icon: 'system', component: System },
  { id: 'goal', title: 'nav.goal', component: Goal },
];
