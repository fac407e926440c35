import type { texts } from '../ui/texts.ts';

type Kind = keyof typeof texts.usage.kinds;

/** What the providers' paths are for, by how a receipt names them: method and path template. */
const kinds: readonly [pattern: RegExp, kind: Kind][] = [
  [/^POST .*\/(chat\/completions|chat|responses|messages)$/, 'chat'],
  [/^POST .*\/completions$/, 'completion'],
  [/^POST .*:(generateContent|streamGenerateContent)$/, 'chat'],
  [/^POST .*(\/embeddings|\/embed|:embedContent|:batchEmbedContents)$/, 'embeddings'],
  [/^POST .*\/images\/(generations|edits|variations)$/, 'image'],
  [/^POST .*\/audio\/speech$/, 'speech'],
  [/^POST .*\/audio\/transcriptions$/, 'transcription'],
  [/^POST .*\/audio\/translations$/, 'translation'],
  [/^POST .*(\/count_tokens|:countTokens)$/, 'tokenCount'],
  [/^POST .*\/vector_stores(\/\{id\}(\/(search|files(\/\{file\})?|file_batches))?)?$/, 'vectorStore'],
  [/^POST .*\/batches$/, 'batch'],
  [/^(GET|POST|DELETE) .*\/(batches|vector_stores)(\/|$)/, 'aboutStored'],
  [/^(GET|POST|DELETE) .*\/(files|uploads)(\/|$)/, 'file'],
  [/^(GET|POST|DELETE) .*\/(responses\/|conversations(\/|$)|chat\/completions(\/|$))/, 'storedChat'],
  [/^GET .*\/models$/, 'models'],
  [/^GET .*\/models\/\{model\}$/, 'model'],
];

const freeKinds: readonly (Kind | undefined)[] = ['tokenCount', 'models', 'model', 'file', 'storedChat', 'aboutStored'];

/** Undefined for an endpoint that has no name here: it is shown as it is. */
export function kindOf(endpoint: string): Kind | undefined {
  return kinds.find(([pattern]) => pattern.test(endpoint))?.[1];
}

/** Whether calls of this kind cost nothing at any provider. */
export function isFree(endpoint: string): boolean {
  return freeKinds.includes(kindOf(endpoint));
}
