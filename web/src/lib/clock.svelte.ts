// The time, for what is told relative to it. It ticks once a second for everybody.
class Clock {
  now: number = $state(Date.now());
  constructor() {
    setInterval(() => {
      if (!document.hidden) this.now = Date.now();
    }, 1_000);
  }
}
export const clock = new Clock();
