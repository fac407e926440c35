/** English: the pages that need no account, and the developers' console. */
export const landing = {
  title: 'One vault for your AI keys. Apps get a budget, never a key.',
  lead: 'Keep your API keys in a vault that is encrypted in your browser. Approve an app, give it a monthly budget, watch every cent, cut it off at once.',
  create: 'Create your vault',
  open: 'Open vault',
  developers: 'Developers',
  forDevelopers: 'For developers',
  pointsLabel: 'How it works',
  example: {
    app: 'Inkwell',
    origin: 'inkwell.app',
    limit: '$20.00 a month · OpenAI, Anthropic',
    tool: 'Laptop',
    caption: 'An example: two connections with what they spent of their budgets.',
  },
  points: [
    [
      'Consent, with a limit',
      'You choose the providers, the models and the budget. The limit is hard: calls that could exceed it are refused before they start.',
    ],
    [
      'Receipts for everything',
      'Every call shows what was used and what it cost, to the last digit, and says whether that was measured, estimated or is not known.',
    ],
    [
      'Gone means gone',
      'Revoking deletes the app’s sealed copy of your keys, denies it at once and cuts running answers.',
    ],
  ],
  promiseTitle: 'What we promise, and what we do not',
  promise: [
    [
      'At rest',
      'The operator of this server cannot read your keys: the database and the server’s secrets together still need an app’s access token, or a correct guess at your password.',
    ],
    [
      'While a call runs',
      'The server sees that key, the prompt and the answer, and the token that opens it. It has to: it makes the call for the app.',
    ],
    [
      'A dishonest operator',
      'An operator who changes the server or the pages it serves, or who also runs an app, can read the keys that pass or are linked to that app. Use a KeyPass whose operator you trust, or run your own.',
    ],
    [
      'Backups',
      'In the default set-up one folder holds both the database and the server’s secrets; backups should leave the secrets out. Old backups hold revoked access and old password wraps until the secrets of their time are dropped.',
    ],
    [
      'Tampering',
      'Somebody who writes to the database cannot make an approval that you never gave. They can put back an earlier one, which a browser that has seen a newer one notices, and can reset spent counters and pauses.',
    ],
    ['Always visible to the operator', 'Your e-mail, the names of providers, times, models and token counts.'],
  ],
  startTitle: 'For developers: five minutes to the first call',
  startText: 'Two small SDKs, no dependencies. Or point any OpenAI, Anthropic, Google or Groq client at this server.',
  startLink: 'Register an app',
  footer: 'KeyPass is open source and self-hosted.',
};

export const developers = {
  title: 'Developer console',
  text: 'Register your app to let people connect their keys to it.',
  newApp: 'New app',
  name: 'Name',
  nameHint: 'People see it when they are asked.',
  nameFault: 'Give your app a name.',
  origins: 'Allowed origins',
  originsHint: 'Where your app runs, one per line, like https://app.example.com. Only these may open the window.',
  originsFault: 'Each line must be an origin such as https://app.example.com or http://localhost:3000.',
  redirects: 'Redirect addresses',
  redirectsHint: 'For phones and apps without pop-ups, one per line. Optional.',
  redirectsFault: 'Each line must be a full https address (or http on localhost).',
  create: 'Create app',
  createdTitle: (name: string) => `${name} is registered`,
  createdText: 'The secret is shown once. Keep it on your server, never in a page.',
  clientId: 'Client id',
  clientSecret: 'Client secret',
  emptyTitle: 'No apps yet',
  empty: 'An app gets a client id and a secret. Your server uses them to start a consent and to exchange its result.',
  apps: 'Your apps',
  quickStart: 'Quick start',
  quickStartText: 'From nothing to the first call: two files that run as they are, filled in for this app.',
  steps: {
    install: 'Install',
    server: 'Your server: server.mjs',
    page: 'Your page: page.html, beside it',
    run: 'Run it',
  },
  noRedirects: 'None',
};

export const insecure = {
  title: 'This page needs a secure connection',
  text: 'KeyPass encrypts in your browser, and browsers allow that only on https or on your own machine. There are three ways out:',
  ways: [
    ['On the same machine', 'Open it as localhost:'],
    ['With a certificate', 'Put a TLS proxy such as Caddy in front, and set KEYPASS_ORIGIN to its https address.'],
    ['Through a tunnel', 'Forward the port to your machine, then open it as localhost:'],
  ],
};
