/**
 * The sealed form of every secret: C2SP chunked encryption with AES-256-GCM and HKDF-Expand-SHA-512, which the
 * specification's libraries call Cobblestone-256 (https://c2sp.org/chunked-encryption), behind one byte of version.
 *
 *     0x01 ‖ salt (24) ‖ commitment (32) ‖ chunks (16 KiB + tag each, the last one shorter, maybe empty)
 *
 * The commitment binds an envelope to one key; the random salt gives every message its own AES key, so GCM's limits
 * on nonces do not apply. Plaintexts here are small: they are held whole, not streamed.
 */
import { concat, equalBytes, ownBytes, randomBytes, utf8, zero, type Bytes } from './bytes.ts';
import { expand } from './derive.ts';
import { CryptoError } from './errors.ts';

const version = 0x01;
const saltLength = 24;
const commitmentLength = 32;
const headerLength = 1 + saltLength + commitmentLength;
const chunkLength = 16 * 1024;
const tagLength = 16;
const sealedChunkLength = chunkLength + tagLength;
const algorithm = utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0');

/**
 * Seals a plaintext under a key of `sealingKey` for one context.
 * @returns 73 bytes more than the plaintext, and 16 more for each full 16 KiB of it.
 */
export async function sealEnvelope(key: CryptoKey, context: Uint8Array, plaintext: Uint8Array): Promise<Bytes> {
  const message = ownBytes(plaintext);
  const salt = randomBytes(saltLength);
  const schedule = await expand(key, concat(algorithm, salt, context));
  const { keyBytes, nonce, commitment } = split(schedule);
  const envelope = new Uint8Array(headerLength + sealedLength(message.length));
  envelope[0] = version;
  envelope.set(salt, 1);
  envelope.set(commitment, 1 + saltLength);
  const aes = await importAes(keyBytes, 'encrypt');
  // Up to and including the length: a message of whole chunks ends with an empty one.
  for (let index = 0; index * chunkLength <= message.length; index++) {
    const chunk = message.subarray(index * chunkLength, (index + 1) * chunkLength);
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: chunkNonce(nonce, index) }, aes, chunk);
    envelope.set(new Uint8Array(sealed), headerLength + index * sealedChunkLength);
  }
  zero(schedule);
  return envelope;
}

/**
 * Opens what `sealEnvelope` made, under the same key and context, whole or not at all.
 * @throws CryptoError with one message for every reason.
 */
export async function openEnvelope(key: CryptoKey, context: Uint8Array, envelope: Uint8Array): Promise<Bytes> {
  return (await unlockEnvelope(key, context, envelope))();
}

/**
 * What opens this one envelope as often as it is called: it holds the envelope and its AES key, which is not extractable,
 * and never the plaintext. It rejects as `openEnvelope` does.
 * @throws CryptoError if key, context and envelope do not belong together.
 */
export async function unlockEnvelope(
  key: CryptoKey,
  context: Uint8Array,
  envelope: Uint8Array,
): Promise<() => Promise<Bytes>> {
  // A copy: nobody can change the bytes between the check of the commitment and the last chunk.
  const sealed = new Uint8Array(envelope);
  const chunks = sealed.subarray(headerLength);
  // The last chunk is shorter than the others, so its length tells whether the message is complete.
  if (sealed[0] !== version || chunks.length % sealedChunkLength < tagLength) throw unopened();
  const schedule = await expand(key, concat(algorithm, sealed.subarray(1, 1 + saltLength), context));
  const { keyBytes, nonce, commitment } = split(schedule);
  try {
    if (!equalBytes(commitment, sealed.subarray(1 + saltLength, headerLength))) throw unopened();
    const [aes, base] = [await importAes(keyBytes, 'decrypt'), new Uint8Array(nonce)];
    return () => openChunks(aes, base, chunks);
  } finally {
    zero(schedule);
  }
}

async function openChunks(aes: CryptoKey, nonce: Bytes, chunks: Bytes): Promise<Bytes> {
  const fullChunks = Math.floor(chunks.length / sealedChunkLength);
  const plaintext = new Uint8Array(chunks.length - (fullChunks + 1) * tagLength);
  try {
    for (let index = 0; index <= fullChunks; index++) {
      const chunk = chunks.subarray(index * sealedChunkLength, (index + 1) * sealedChunkLength);
      const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: chunkNonce(nonce, index) }, aes, chunk);
      const bytes = new Uint8Array(opened);
      plaintext.set(bytes, index * chunkLength);
      zero(bytes);
    }
    return plaintext;
  } catch {
    zero(plaintext);
    throw unopened();
  }
}

function sealedLength(length: number): number {
  return length + (Math.floor(length / chunkLength) + 1) * tagLength;
}

/** The parts of a key schedule, as views: zeroing the schedule zeroes them. */
function split(schedule: Bytes): { keyBytes: Bytes; nonce: Bytes; commitment: Bytes } {
  return {
    keyBytes: schedule.subarray(0, 32),
    nonce: schedule.subarray(32, 44),
    commitment: schedule.subarray(44, 44 + commitmentLength),
  };
}

function importAes(bytes: Bytes, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, [usage]);
}

/** The base nonce XOR the chunk's number. The specification counts to 2³⁸; an array in memory ends before 2³². */
function chunkNonce(base: Bytes, index: number): Bytes {
  const nonce = new Uint8Array(base);
  const view = new DataView(nonce.buffer);
  view.setUint32(8, view.getUint32(8) ^ index);
  return nonce;
}

function unopened(): CryptoError {
  return new CryptoError('does not open');
}
