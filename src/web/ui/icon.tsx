const paths = {
  check: 'M3.5 8.5l3 3 6-7',
  info: 'M8 7.25v4M8 4.75v.01M14.25 8A6.25 6.25 0 1 1 1.75 8a6.25 6.25 0 0 1 12.5 0z',
  alert: 'M8 6v3.25M8 11.75v.01M7.1 2.4L1.4 12.2a1 1 0 0 0 .9 1.55h11.4a1 1 0 0 0 .9-1.55L8.9 2.4a1 1 0 0 0-1.8 0z',
  close: 'M4 4l8 8M12 4l-8 8',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  lock: 'M4.75 7V5.25a3.25 3.25 0 0 1 6.5 0V7M3.5 7h9a.75.75 0 0 1 .75.75v5.5a.75.75 0 0 1-.75.75h-9a.75.75 0 0 1-.75-.75v-5.5A.75.75 0 0 1 3.5 7z',
  plus: 'M8 3.25v9.5M3.25 8h9.5',
  shield: 'M8 1.75l5.25 2v4c0 3.2-2.2 5.4-5.25 6.5-3.05-1.1-5.25-3.3-5.25-6.5v-4L8 1.75zM5.5 8l1.75 1.75L10.75 6.25',
  back: 'M9.75 3.5L5.25 8l4.5 4.5',
  user: 'M8 8.25a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5zM2.75 13.5c.6-2.2 2.6-3.25 5.25-3.25s4.65 1.05 5.25 3.25',
} as const;

export type IconName = keyof typeof paths;

/** A line drawing in the colour of its text; never the only carrier of a meaning. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  const width = name === 'more' ? 2.2 : 1.5;
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" aria-hidden="true" focusable="false">
      <path d={paths[name]} stroke="currentColor" stroke-width={width} stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" fill="var(--ink)" />
      <path d="M16 7.5a5.2 5.2 0 0 0-2.7 9.65L12 24.5h8l-1.3-7.35A5.2 5.2 0 0 0 16 7.5z" fill="var(--on-ink)" />
    </svg>
  );
}
