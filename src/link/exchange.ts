import type { Connections } from '../connections/service.ts';
import type { Clock } from '../clock.ts';
import {
  createToken,
  equalBytes,
  fromUtf8,
  lookupOf,
  open,
  seal,
  sha256,
  tokenKey,
  utf8,
  zero,
  type Pepper,
} from '../crypto/index.ts';
import type { Database, Tx } from '../database/connect.ts';
import { KeyPassError } from '../errors.ts';
import type { AppIdentity } from '../http/auth.ts';
import { tamperedWhereUnopened } from '../connections/sealing.ts';
import * as store from './store.ts';

export const publicTokenMs = 10 * 60 * 1000;
export const replyMs = 60 * 1000;

interface Parts {
  database: Database;
  pepper: Pepper;
  clock: Clock;
  connections: Connections;
}

interface Exchanged {
  readonly accessToken: string;
  readonly connectionId: string;
}

type Session = store.LinkSessionRow & { connectionId: string };

/**
 * Trades a public token for an access token, once. The same app gets the same answer for a minute, so that a lost reply
 * costs nothing; after that a repeat is a theft of one of the two, and the connection is revoked.
 */
export async function exchangePublicToken(
  parts: Parts,
  app: AppIdentity,
  publicToken: string,
  clientUserId?: string,
): Promise<Exchanged> {
  const lookup = await lookupOf('public', publicToken).catch(() => Promise.reject(invalid()));
  const hash = clientUserId === undefined ? null : await sha256(utf8(clientUserId));
  const outcome = await parts.database
    .begin((tx) => exchangeWithin(parts, tx, app, { publicToken, lookup, hash }))
    .catch(tamperedWhereUnopened);
  if ('accessToken' in outcome) return outcome;
  await parts.connections.revokeAny(outcome.revoke, 'keypass');
  throw new KeyPassError(
    'public_token_used',
    'This public token was exchanged before. The connection was revoked: it may have been stolen. Link again.',
  );
}

interface Presented {
  publicToken: string;
  lookup: Uint8Array;
  hash: Uint8Array | null;
}

async function exchangeWithin(
  parts: Parts,
  tx: Tx,
  app: AppIdentity,
  presented: Presented,
): Promise<Exchanged | { revoke: string }> {
  const row = await store.findByPublicTokenForUpdate(tx, presented.lookup);
  if (row === undefined || row.appId !== app.id || row.connectionId === null) throw invalid();
  refuseOtherUser(row, presented.hash);
  const session = { ...row, connectionId: row.connectionId };
  const now = parts.clock.now().getTime();
  if (session.status === 'exchanged') {
    const isRepeat = session.exchangedAt !== null && now - session.exchangedAt.getTime() <= replyMs;
    return isRepeat && session.exchangeReply !== null
      ? repeat(parts, tx, session, presented)
      : { revoke: session.connectionId };
  }
  const isLate = session.approvedAt === null || now - session.approvedAt.getTime() > publicTokenMs;
  if (isLate)
    throw new KeyPassError(
      'public_token_expired',
      'The public token was not exchanged within ten minutes. Link again.',
    );
  return exchangeFirst(parts, tx, session, presented);
}

async function exchangeFirst(parts: Parts, tx: Tx, session: Session, { publicToken }: Presented): Promise<Exchanged> {
  const { connectionId: connection, appId: app, id: linkSession } = session;
  const user = await parts.connections.ownerOf(tx, connection);
  const connectionKey = await openPublicWrap(parts, session, user, publicToken);
  const accessToken = createToken('access');
  const wrapKey = await tokenKey('access', accessToken, 'access/wrap');
  const ckToken = await seal('ck-token', wrapKey, { user, connection, app, generation: 1 }, connectionKey);
  zero(connectionKey);
  await parts.connections.activate(
    tx,
    connection,
    { tokenLookup: await lookupOf('access', accessToken), ckToken, generation: 1 },
    null,
  );

  const epoch = parts.pepper.current;
  const fields = { user, connection, app, linkSession };
  const replyKey = await tokenKey('public', publicToken, 'public/reply');
  const reply = await seal('exchange-reply', replyKey, fields, utf8(accessToken));
  const exchangeReply = await seal(
    'exchange-reply-outer',
    await parts.pepper.key(epoch, 'reply'),
    { ...fields, epoch },
    reply,
  );
  await store.updateExchanged(tx, { id: linkSession, exchangeReply, epoch, exchangedAt: parts.clock.now() });
  return { accessToken, connectionId: connection };
}

async function openPublicWrap({ pepper }: Parts, session: Session, user: string, publicToken: string) {
  const { connectionId: connection, appId: app, id: linkSession, epoch, ckPublic } = session;
  if (epoch === null || ckPublic === null) throw invalid();
  const inner = await open(
    'ck-public-outer',
    await pepper.key(epoch, 'connection'),
    { connection, linkSession, epoch },
    ckPublic,
  );
  const wrapKey = await tokenKey('public', publicToken, 'public/wrap');
  const raw = await open('ck-public', wrapKey, { user, connection, app, linkSession }, inner);
  return raw;
}

async function repeat(
  { pepper, connections }: Parts,
  tx: Tx,
  session: Session,
  { publicToken }: Presented,
): Promise<Exchanged> {
  const { connectionId: connection, appId: app, id: linkSession, epoch, exchangeReply } = session;
  if (epoch === null || exchangeReply === null) throw invalid();
  const user = await connections.ownerOf(tx, connection);
  const fields = { user, connection, app, linkSession };
  const reply = await open(
    'exchange-reply-outer',
    await pepper.key(epoch, 'reply'),
    { ...fields, epoch },
    exchangeReply,
  );
  const replyKey = await tokenKey('public', publicToken, 'public/reply');
  return { accessToken: fromUtf8(await open('exchange-reply', replyKey, fields, reply)), connectionId: connection };
}

function refuseOtherUser(row: store.LinkSessionRow, hash: Uint8Array | null): void {
  if (row.clientUserIdHash === null) return;
  if (hash !== null && equalBytes(row.clientUserIdHash, hash)) return;
  throw new KeyPassError(
    'client_user_mismatch',
    'The link session was made for another user of the app: send the same clientUserId.',
    {
      param: 'clientUserId',
    },
  );
}

/** One answer for unknown tokens and for those of another app, in which case nothing changes. */
function invalid(): KeyPassError {
  return new KeyPassError('public_token_invalid', 'This public token is not one that this app can exchange.');
}
