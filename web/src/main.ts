import './tokens.css';
import './base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { words } from './i18n/index.svelte.ts';
import { enter, feed } from './lib/api.svelte.ts';
import { isInvitation } from './lib/entry.ts';
import { store } from './lib/store.svelte.ts';
import { theme } from './lib/theme.svelte.ts';

await words.start();
theme.apply();
store.start();
mount(App, { target: document.getElementById('app') as HTMLElement });
void enter();
// A person who comes back, from another tab or from sleep, sees at once how things are.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) feed.look();
});
addEventListener('online', () => feed.look());
// An address with a code, put into a page that is there already, is the same document to the browser.
addEventListener('hashchange', () => {
  if (isInvitation(location.hash)) location.reload();
});
