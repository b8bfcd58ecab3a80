// Light, dark, or as the system has it.
export type Choice = 'system' | 'light' | 'dark';
const KEPT = 'pb.theme';

class Theme {
  choice: Choice = $state((localStorage.getItem(KEPT) as Choice | null) ?? 'system');
  apply(): void {
    const root = document.documentElement;
    if (this.choice === 'light' || this.choice === 'dark') root.dataset.theme = this.choice;
    else delete root.dataset.theme;
  }
  set(choice: Choice): void {
    this.choice = choice;
    localStorage.setItem(KEPT, choice);
    this.apply();
  }
}

export const theme = new Theme();
