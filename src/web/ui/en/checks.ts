/** English: whether a provider takes a key. */
export const checks = {
  check: 'Check',
  checkIt: 'Check it',
  replaceIt: 'Replace it',
  title: 'Check this key',
  asking: (provider: string) => `Asking ${provider}…`,
  again: 'Check again',
  verdicts: {
    works: (provider: string) => `${provider} takes this key.`,
    rejected: (provider: string) => `${provider} does not take this key. It is rejected, or out of credit.`,
    restricted: (provider: string) =>
      `${provider} knows this key, but it may not be used for everything, or not from here.`,
    unknown: (provider: string) => `${provider} said nothing of this key. Try again later, or store it as it is.`,
  },
  direct: (provider: string) => `Your browser asks ${provider} itself: nobody else sees the key.`,
  unread: (provider: string) => `Your browser could not ask ${provider}.`,
  notDirect: (provider: string) => `${provider} does not let browsers ask.`,
  elsewhere: (provider: string, origin: string) =>
    `On this server calls for ${provider} go to ${origin}, which your browser does not ask.`,
  byServer: 'KeyPass’s server can ask for you: it sees the key for this one call and keeps nothing.',
  agree: 'Let the server ask',
  since: {
    rejected: (provider: string, when: string) =>
      `${provider} has refused this key since ${when}. Rejected, or out of credit.`,
    restricted: (provider: string, when: string) =>
      `${provider} has not let this key do what was asked since ${when}. It may be restricted.`,
  },
  inUse: {
    rejected: (provider: string) => `${provider} refuses the key that is used here. Rejected, or out of credit.`,
    restricted: (provider: string) => `${provider} does not let the key that is used here do all that was asked.`,
  },
  seeKeys: 'See it under Keys',
  refusedChoice: (name: string) => `${name} (refused)`,
};
