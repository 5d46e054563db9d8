// node-appwrite, the SDK of servers and scripts: with an API key, everything is open; with a session, what its user may.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { plain } from './browser.mjs';
import { DATABASE as databaseId, Hub, PASSWORD, PROJECT, VENUE, packages } from './hub.mjs';

const { Account, AppwriteException, Client, Databases, Functions, ID, Query, TablesDB, Users } = packages('node-appwrite');
let hub, databases, tables, account, functions, users;
const client = () => new Client().setEndpoint(hub.url).setProject(PROJECT);

before(async () => {
    hub = await Hub.start({ users: { staff: 'staff' }, keys: ['test', 'other'] });
    const keyed = client().setKey(hub.keys.test);
    [databases, tables, account, functions, users] = [Databases, TablesDB, Account, Functions, Users]
        .map((Service) => new Service(keyed));
});
after(() => hub?.stop());

async function refused(call, code, type) {
    await assert.rejects(call, (error) => {
        assert.ok(error instanceof AppwriteException, error.stack);
        assert.deepEqual([error.code, error.type], [code, type], error.message);
        return true;
    });
}

const player = (deviceId, more) => ({ playerId: `player_${deviceId}`, venueId: VENUE, deviceId, lastHeartbeat: 1759881678283,
    expiresAt: 1759881798283, userAgent: 'test', createdAt: new Date(0).toISOString(), ...more });

test('a key reads and writes what nobody else may', async () => {
    const where = { databaseId, collectionId: 'players', documentId: 'p1' };
    const made = await databases.createDocument({ ...where, data: player('d1') });
    assert.deepEqual([made.$id, made.status], ['p1', 'idle']);
    const changed = await databases.updateDocument({ ...where, data: { status: 'active' } });
    assert.deepEqual(plain(changed), { ...plain(made), status: 'active', $updatedAt: changed.$updatedAt });
    assert.deepEqual(plain(await databases.getDocument(where)), plain(changed));
    const put = await databases.upsertDocument({ ...where, data: player('d2') });
    assert.deepEqual([put.deviceId, put.$createdAt], ['d2', made.$createdAt]);
    const { documents, total } = await databases.listDocuments({ databaseId, collectionId: 'players',
        queries: [Query.equal('deviceId', ['d2', 'd3']), Query.orderDesc('$createdAt'), Query.limit(1)] });
    assert.deepEqual([total, documents[0].$id], [1, 'p1']);
    await databases.deleteDocument(where);
    await refused(() => databases.getDocument(where), 404, 'document_not_found');
});

test('integers of 64 bits come back as they were sent', async () => {
    const where = { databaseId, tableId: 'players', rowId: ID.unique() };
    for (const lastHeartbeat of [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 0]) {
        const { $id } = await tables.createRow({ ...where, data: player('big', { lastHeartbeat }) });
        const row = await tables.getRow({ ...where, rowId: $id });
        assert.equal(BigInt(row.lastHeartbeat), BigInt(lastHeartbeat));
        assert.equal(row.$tableId, 'players');
        await tables.deleteRow({ ...where, rowId: $id });
    }
});

test('counters with bounds', async () => {
    const where = { databaseId, tableId: 'players', rowId: 'counted', column: 'expiresAt' };
    await tables.createRow({ ...where, data: player('c', { expiresAt: 10 }) });
    assert.equal((await tables.incrementRowColumn({ ...where, value: 5, max: 15 })).expiresAt, 15);
    await refused(() => tables.incrementRowColumn({ ...where, max: 15 }), 400, 'attribute_limit_exceeded');
    assert.equal((await tables.decrementRowColumn({ ...where, value: 5 })).expiresAt, 10);
});

test('with a key, a sign-in answers the secret, and the session does what its user may', async () => {
    const session = await account.createEmailPasswordSession({ email: hub.email('staff'), password: PASSWORD });
    assert.ok(session.secret.length > 20);
    const own = client().setSession(session.secret);
    assert.equal((await new Account(own).get()).$id, hub.users.staff.userId);
    const written = await new Databases(own).updateDocument({ databaseId, collectionId: 'queues', documentId: VENUE,
        data: { mainQueue: '["by the session"]' } });
    assert.equal(written.mainQueue, '["by the session"]');
    await refused(() => new Databases(own).listDocuments({ databaseId, collectionId: 'players' }), 401, 'user_unauthorized');
    const { jwt } = await new Account(own).createJWT();
    assert.equal((await new Account(client().setJWT(jwt)).get()).$id, hub.users.staff.userId);
});

test('a token that a key made is a session of its user once', async () => {
    const { userId } = hub.users.staff;
    const token = await users.createToken({ userId });
    assert.deepEqual([token.userId, token.secret.length], [userId, 6]);
    const life = new Date(token.expire) - new Date(token.$createdAt);
    assert.equal(life, 15 * 60 * 1000);
    const session = await account.createSession(token);
    assert.equal((await new Account(client().setSession(session.secret)).get()).$id, userId);
    await refused(() => account.createSession(token), 401, 'user_invalid_token');
    const long = await users.createToken({ userId, length: 128, expire: 60 });
    assert.equal(long.secret.length, 128);
    await refused(() => users.createToken({ userId, length: 129 }), 400, 'general_argument_invalid');
    await refused(() => users.createToken({ userId: 'nobody' }), 404, 'user_not_found');
    await refused(() => new Users(client()).createToken({ userId }), 401, 'general_unauthorized_scope');
});

test('the guard works by a header of the client', async () => {
    const where = { databaseId, collectionId: 'queues', documentId: VENUE };
    const { $updatedAt } = await databases.getDocument(where);
    const guarded = client().setKey(hub.keys.other).addHeader('X-Appwrite-Timestamp', $updatedAt);
    await new Databases(guarded).updateDocument({ ...where, data: { mainQueue: '["first"]' } });
    await refused(() => new Databases(guarded).updateDocument({ ...where, data: { mainQueue: '["second"]' } }), 409,
        'document_update_conflict');
});

test('functions', async () => {
    const run = await functions.createExecution({ functionId: 'player-registry',
        body: JSON.stringify({ action: 'status', venueId: VENUE }) });
    assert.equal(run.responseStatusCode, 200);
    assert.equal(JSON.parse(run.responseBody).hasMaster, false);
});

test('a bad key, and none', async () => {
    await refused(() => new Databases(client().setKey('standard_wrong')).listDocuments({ databaseId, collectionId: 'queues' }),
        401, 'general_unauthorized_scope');
    await refused(() => new Databases(client()).listDocuments({ databaseId, collectionId: 'players' }), 401,
        'user_unauthorized');
    await refused(() => new Account(client()).get(), 401, 'general_unauthorized_scope');
});

test('what the hub does not have is a route not found', async () => {
    const where = { databaseId, collectionId: 'requests' };
    for (const call of [
        () => databases.listTransactions(),
        () => databases.createTransaction({ ttl: 60 }),
        () => databases.updateTransaction({ transactionId: 'one', commit: true }),
        () => databases.createDocuments({ ...where, documents: [{ $id: 'many' }] }),
        () => databases.updateDocuments({ ...where, data: { status: 'playing' } }),
        () => databases.upsertDocuments({ ...where, documents: [{ $id: 'many' }] }),
        () => databases.deleteDocuments(where),
    ])
        await refused(call, 404, 'general_route_not_found');
    await refused(() => databases.updateDocument({ databaseId, collectionId: 'queues', documentId: VENUE,
        data: { mainQueue: '["staged"]' }, transactionId: 'one' }), 404, 'transaction_not_found');
});
