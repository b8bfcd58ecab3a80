// The pictures, as paths on a square of 20, drawn with a line.
export const icons = {
  now: 'M2 10h4l2.5-6 4 12L15 10h3',
  inbox: 'M3 11l2.5-7h9L17 11v5H3v-5h4l1 2h4l1-2h4',
  new: 'M10 4v12M4 10h12',
  chat: 'M3 4h14v10H9l-4 3v-3H3z',
  history: 'M10 5.5V10l3 2M3.5 7A7 7 0 1 1 3 10M3 4v3.2h3.2',
  schedules: 'M3.5 5h13v11.5h-13zM3.5 8.5h13M7 3v3.5M13 3v3.5M7 12h2M11 12h2',
  system: 'M5.5 5.5h9v9h-9zM8 2.5v3M12 2.5v3M8 14.5v3M12 14.5v3M2.5 8h3M2.5 12h3M14.5 8h3M14.5 12h3',
  more: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  close: 'M5 5l10 10M15 5L5 15',
  back: 'M12 4l-6 6 6 6',
} as const;
export type IconName = keyof typeof icons;
