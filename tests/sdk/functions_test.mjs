// The two functions of the house by every web SDK: who is the player, and songs that guests ask for.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Page, VERSIONS, plain, refused } from './browser.mjs';
import { DATABASE as D, Hub } from './hub.mjs';

const REGISTRY = '68e5a41f00222cab705b';    // ids of the deployed functions, which old pages carry in their code
const REQUEST = '68e5acf100104d806321';
let hub;
before(async () => { hub = await Hub.start({ keys: ['test'] }); });
after(() => hub?.stop());

// By the names that this version of the SDK documents.
function answerOf(page, execution) {
    return page.version < 12 ? [execution.statusCode, execution.response]
        : [execution.responseStatusCode, execution.responseBody];
}

// Runs a function with that input: its own status and answer.
async function run(page, id, input) {
    const execution = await page.functions.createExecution(id, JSON.stringify(input));
    assert.equal(execution.status, 'completed', execution.errors);
    const [status, body] = answerOf(page, execution);
    assert.equal(typeof body, 'string', `no answer in ${JSON.stringify(execution)}`);
    return [status, JSON.parse(body)];
}

// What only a key may read.
async function players(venueId) {
    const { status, json } = await hub.request('GET', hub.documents('players') + '?queries[0]=' + encodeURIComponent(
        JSON.stringify({ method: 'equal', attribute: 'venueId', values: [venueId] })),
    { headers: { 'x-appwrite-key': hub.keys.test } });
    assert.equal(status, 200);
    return json.documents;
}

// A venue of its own for this version, with its queue.
async function makeVenue(venueId) {
    const createdAt = new Date(0).toISOString();
    const { status } = await hub.request('POST', hub.documents('queues'), {
        headers: { 'x-appwrite-key': hub.keys.test },
        body: { documentId: venueId, data: { venueId, mainQueue: '[]', priorityQueue: '[]', createdAt } },
    });
    assert.equal(status, 201);
}

for (const version of VERSIONS) {
    describe(`appwrite ${version}`, () => {
        const venueId = `venue-${version}`;
        let page;
        before(async () => {
            page = new Page(hub, version);      // a guest: these functions are for anybody
            await makeVenue(venueId);
        });
        after(() => page?.close());

        test('player-registry knows one master of a venue', async () => {
            const ask = (action, deviceId, more) => run(page, 'player-registry', { action, venueId, deviceId, ...more });
            const userAgent = 'test';
            assert.deepEqual(await ask('status'), [200, { success: true, hasMaster: false }]);
            const [status, first] = await ask('register', 'device-a', { userAgent });
            assert.equal(status, 200);
            assert.deepEqual([first.success, first.isMaster, first.status], [true, true, 'registered']);
            const [{ $id, deviceId, status: state }, ...others] = await players(venueId);
            assert.deepEqual([$id, deviceId, state, others.length], [first.playerId, 'device-a', 'active', 0]);
            const [, again] = await ask('register', 'device-a', { userAgent });
            assert.deepEqual([again.isMaster, again.status, again.playerId], [true, 'reconnected', first.playerId]);
            const [, second] = await ask('register', 'device-b', { userAgent });
            assert.deepEqual([second.success, second.isMaster, second.reason], [false, false, 'MASTER_ACTIVE']);
            assert.equal(second.currentMaster.deviceId, 'device-a');
            assert.equal((await ask('heartbeat', 'device-a'))[0], 200);
            assert.equal((await ask('heartbeat', 'device-b'))[0], 404);
            const [, known] = await ask('status');
            assert.deepEqual([known.hasMaster, known.deviceId], [true, 'device-a']);
            assert.equal((await ask('release', 'device-a'))[1].success, true);
            assert.equal((await ask('register', 'device-b', { userAgent }))[1].isMaster, true);
            await ask('release', 'device-b');
        });

        test('player-registry refuses by its inner status', async () => {
            assert.equal((await run(page, 'player-registry', { action: 'dance', venueId, deviceId: 'd' }))[0], 400);
            assert.equal((await run(page, 'player-registry', { action: 'register', venueId }))[0], 400);
            const [status, answer] = await run(page, REGISTRY, { action: 'status', venueId });
            assert.deepEqual([status, answer.success], [200, true], 'by its deployed id');
        });

        test('processRequest puts a song into the queue and the book', async () => {
            const song = { videoId: 'dQw4w9WgXcQ', title: 'A "quoted" Song – ä', artist: `Artist ${version}`, duration: 213 };
            const input = { venueId, song, paymentId: 'pi_1', requesterId: 'guest-1' };
            const [status, answer] = await run(page, 'processRequest', input);
            assert.equal(status, 200);
            assert.deepEqual([answer.success, answer.queuePosition], [true, 1]);
            assert.equal(typeof answer.estimatedWait, 'number');
            const queue = await page.databases.getDocument(D, 'queues', venueId);
            const [entry, ...rest] = JSON.parse(queue.priorityQueue);
            assert.equal(rest.length, 0);
            assert.deepEqual([entry.videoId, entry.title, entry.artist, entry.duration, entry.requesterId, entry.paymentId],
                [song.videoId, song.title, song.artist, 213, 'guest-1', 'pi_1']);
            const { Query: Q } = page.sdk;
            const { documents } = await page.databases.listDocuments(D, 'requests', [Q.equal('venueId', venueId)]);
            assert.equal(documents.length, 1);
            assert.deepEqual([documents[0].requestId, documents[0].status, documents[0].paymentId],
                [answer.requestId, 'queued', 'pi_1']);
            assert.equal(JSON.parse(documents[0].song).title, song.title);

            const [, second] = await run(page, REQUEST, { ...input, paymentId: 'pi_2' });
            assert.equal(second.queuePosition, 2);
            assert.equal((await run(page, REQUEST, { ...input, paymentId: 'pi_3' }))[1].success, true);
            const [limit, refusal] = await run(page, REQUEST, { ...input, paymentId: 'pi_4' });
            assert.deepEqual([limit, refusal.success], [429, false], 'a fourth of one artist');
            const after = await page.databases.getDocument(D, 'queues', venueId);
            assert.deepEqual(JSON.parse(after.priorityQueue).map((t) => t.paymentId), ['pi_1', 'pi_2', 'pi_3']);
        });

        test('processRequest refuses what it must, and nothing is left of it', async () => {
            const song = { videoId: 'v', title: 't', artist: 'a', duration: 100 };
            const whole = { venueId, song, paymentId: 'p', requesterId: 'r' };
            const before = await page.databases.getDocument(D, 'queues', venueId);
            for (const field of ['venueId', 'song', 'paymentId', 'requesterId']) {
                const [status, answer] = await run(page, 'processRequest', { ...whole, [field]: undefined });
                assert.deepEqual([status, answer.success], [400, false], field);
                assert.match(answer.error, new RegExp(field));
            }
            assert.equal((await run(page, 'processRequest', { ...whole, song: { ...song, duration: 301 } }))[0], 400);
            assert.equal((await run(page, 'processRequest', { ...whole, venueId: 'no such venue' }))[0], 500);
            assert.deepEqual(plain(await page.databases.getDocument(D, 'queues', venueId)), plain(before));
        });

        test('a function that is not there, and input that is none', async () => {
            await refused(page, () => page.functions.createExecution('nothing', '{}'), 404, 'function_not_found');
            for (const body of ['no JSON', '[1,2]', '']) {
                const execution = await page.functions.createExecution('player-registry', body);
                assert.equal(answerOf(page, execution)[0], 400, body);
            }
        });

        test('an execution nobody waits for is done and carries no answer', async () => {
            const execution = await page.functions.createExecution('player-registry',
                JSON.stringify({ action: 'register', venueId, deviceId: 'later', userAgent: 'test' }), true);
            assert.ok(!answerOf(page, execution)[1]);
            const [, known] = await run(page, 'player-registry', { action: 'status', venueId });
            assert.equal(known.deviceId, 'later');
            await run(page, 'player-registry', { action: 'release', venueId, deviceId: 'later' });
        });
    });
}
