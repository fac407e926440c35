import { texts } from '../ui/texts.ts';

interface Facts {
  origin: string;
  clientId?: string;
  /** Known only right after it was made. */
  clientSecret?: string;
}

/** From nothing to the first call, with the app's own ids where they are known. */
export function quickStart({ origin, clientId, clientSecret }: Facts): { title: string; code: string }[] {
  const server = `import { KeyPassClient } from '@keypass/node-sdk';

const keypass = new KeyPassClient({
  baseUrl: '${origin}',
  clientId: '${clientId ?? 'kp_cid_…'}',
  clientSecret: process.env.KEYPASS_CLIENT_SECRET,
});

const { linkToken } = await keypass.createLinkSession({
  requestedProviders: ['openai'],
  budgetSuggestionCents: 1000,
});`;
  const page = `import { KeyPass } from '@keypass/link-sdk';

const handler = KeyPass.create({
  token: linkToken,
  apiBaseUrl: '${origin}',
  onSuccess: ({ publicToken }) => sendToYourServer(publicToken),
  onExit: (error) => console.log(error ?? 'closed'),
});
handler.open();`;
  const exchange = `const { accessToken } = await keypass.exchangePublicToken(publicToken);

const completion = await keypass.chatCompletion({
  accessToken,
  provider: 'openai',
  model: 'gpt-5-mini',
  messages: [{ role: 'user', content: 'Hello!' }],
});`;
  const secret = clientSecret === undefined ? '' : `\nexport KEYPASS_CLIENT_SECRET=${clientSecret}`;
  return [
    { title: texts.console.stepInstall, code: `npm install @keypass/node-sdk @keypass/link-sdk${secret}` },
    { title: texts.console.stepServer, code: server },
    { title: texts.console.stepPage, code: page },
    { title: texts.console.stepExchange, code: exchange },
  ];
}
