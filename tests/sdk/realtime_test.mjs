// Realtime by every web SDK and each of its ways to subscribe: by the channels of the URL (11, 18), by slots in it (24),
// by messages (28). A barrier is a last write: events come in the order of the writes, so what has not come before the
// barrier's will not come.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Page, VERSIONS, plain } from './browser.mjs';
import { DATABASE as D, Hub, PASSWORD, PROJECT, VENUE } from './hub.mjs';

const channelOf = (collection, id) => `databases.${D}.collections.${collection}.documents${id ? `.${id}` : ''}`;
const rowsOf = (table) => `databases.${D}.tables.${table}.rows`;
const QUEUES = channelOf('queues'), REQUESTS = channelOf('requests');

// Ways to subscribe: (page, channels, callback, queries) to a function that ends it.
const byClient = (page, channels, call, queries) => page.client.subscribe(channels, call, queries);
async function byRealtime(page, channels, call, queries) {
    page.realtime ??= new page.sdk.Realtime(page.client);
    const subscription = await page.realtime.subscribe(channels, call, queries);
    return subscription.unsubscribe ? () => subscription.unsubscribe() : () => subscription.close();
}
const WAYS = VERSIONS.map((version) => [version, 'client.subscribe', byClient])
    .concat([[24, 'Realtime', byRealtime], [28, 'Realtime', byRealtime]]);

let hub;
before(async () => { hub = await Hub.start({ users: { staff: 'staff', guest: 'guest' }, keys: ['test'] }); });
after(() => hub?.stop());

// ---- writes by somebody else, with a key

async function write(method, collection, id, body) {
    const path = method === 'POST' ? hub.documents(collection) : hub.documents(collection, id);
    const { status, json, text } = await hub.request(method, path, { headers: { 'x-appwrite-key': hub.keys.test }, body });
    assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
    return json;
}

function request(requestId, more) {
    return { requestId, venueId: VENUE, song: '{"videoId":"x"}', requesterId: 'g', timestamp: new Date(0).toISOString(),
        ...more };
}

const create = (id, more) => write('POST', 'requests', id, { documentId: id, data: request(id, more) });
const update = (id, data) => write('PATCH', 'requests', id, { data });
const upsert = (id, data) => write('PUT', 'requests', id, { data: request(id, data) });
const remove = (id) => write('DELETE', 'requests', id, {});
let barriers = 0;

// Every way of a page to hear of things, with what it heard: [action, id] of each event.
class Ear {
    constructor(page, way) {
        Object.assign(this, { page, way, events: [] });
    }

    async listen(channels, queries) {
        this.end = await this.way(this.page, channels, (event) => {
            this.events.push(event);
            this.page.changed();
        }, queries);
        return this;
    }

    heard() {
        return this.events.map(({ events, payload }) => [events[0].split('.').at(-1), payload.$id]);
    }

    // Until a last write to `requests` was heard; it is not kept.
    async barrier(more) {
        const id = `barrier-${++barriers}`;
        await create(id, more);
        await this.page.until(() => this.events.some(({ payload }) => payload.$id === id), `the barrier ${id}`);
        const heard = this.events.filter(({ payload }) => payload.$id === id);
        assert.equal(heard.length, 1, 'the barrier came once');
        this.events.splice(this.events.indexOf(heard[0]), 1);
    }
}

for (const [version, name, way] of WAYS) {
    describe(`appwrite ${version}, ${name}`, () => {
        const id = (word) => `${word}-${version}-${name[0]}`;
        let pages;
        before(() => { pages = []; });
        after(() => pages.forEach((page) => page.close()));

        async function open(user) {
            const page = new Page(hub, version);
            pages.push(page);
            if (user) {
                await page.signIn(hub.email(user), PASSWORD);
            }
            return page;
        }

        test('create, update, upsert and delete come once each, in order, with the document', async () => {
            const page = await open();
            const ear = await new Ear(page, way).listen([REQUESTS]);
            await page.listens(REQUESTS);
            const made = await create(id('a'));
            const changed = await update(id('a'), { status: 'playing' });
            const put = await upsert(id('a'), { status: 'completed' });
            const fresh = await upsert(id('b'));
            await remove(id('a'));
            await ear.barrier();
            assert.deepEqual(ear.heard(), [['create', id('a')], ['update', id('a')], ['upsert', id('a')],
                ['upsert', id('b')], ['delete', id('a')]]);
            assert.deepEqual(ear.events.map((e) => plain(e.payload)), [made, changed, put, fresh, put]);
            const [event] = ear.events;
            assert.equal(event.events[0], `${channelOf('requests', id('a'))}.create`);
            for (const form of ['databases.*.collections.*.documents.*.create', `${REQUESTS}.*.create`,
                channelOf('requests', id('a')), `databases.${D}.tables.requests.rows.${id('a')}.create`]) {
                assert.ok(event.events.includes(form), form);
            }
            assert.ok(event.channels.includes(REQUESTS));
            assert.match(event.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
            assert.deepEqual(page.errors(), []);
        });

        test('only what was asked for comes, and two subscriptions to one thing are told once each', async () => {
            const page = await open();
            const queue = await new Ear(page, way).listen([channelOf('queues', VENUE)]);
            const first = await new Ear(page, way).listen([REQUESTS, channelOf('requests', id('c'))]);
            const second = await new Ear(page, way).listen(REQUESTS);
            await page.listens(channelOf('queues', VENUE), REQUESTS, channelOf('requests', id('c')));
            const socket = page.socket;
            await create(id('c'));
            await write('PATCH', 'queues', VENUE, { data: { mainQueue: `["${id('c')}"]` } });
            await first.barrier();
            await second.barrier().catch((error) => { throw new Error('the second', { cause: error }); });
            const rest = (ear) => ear.heard().filter(([, of]) => !of.startsWith('barrier'));
            assert.deepEqual(queue.heard(), [['update', VENUE]]);
            assert.deepEqual(rest(first), [['create', id('c')]]);
            assert.deepEqual(rest(second), [['create', id('c')]]);
            const frames = socket.frames.filter(({ type, data }) => type === 'event' && data.payload.$id === id('c'));
            assert.equal(frames.length, 1, 'one message for one write');
            assert.deepEqual(page.errors(), []);
        });

        test('who unsubscribed hears no more', async () => {
            const page = await open();
            const ended = await new Ear(page, way).listen([QUEUES]);
            const other = await new Ear(page, way).listen([REQUESTS]);
            await page.listens(QUEUES, REQUESTS);
            await write('PATCH', 'queues', VENUE, { data: { mainQueue: `["${id('before')}"]` } });
            await other.barrier();
            assert.deepEqual(ended.heard(), [['update', VENUE]]);
            const count = page.sockets.length;
            await ended.end();
            if (version < 28) {     // dials again without that channel
                await page.until(() => page.sockets.length > count, 'a new socket');
                await page.listens(REQUESTS);
            } else if (way === byRealtime) {
                await page.frame(({ type, data }) => type === 'response' && data.to === 'unsubscribe', 'it is confirmed');
            }
            await write('PATCH', 'queues', VENUE, { data: { mainQueue: `["${id('after')}"]` } });
            await other.barrier();
            assert.deepEqual(ended.heard(), [['update', VENUE]]);
            if (version < 28 || way === byRealtime) {   // 28's client.subscribe keeps it from the hub
                assert.ok(!page.socket.frames.some(({ type, data }) => type === 'event' && data.payload.$id === VENUE &&
                    data.payload.mainQueue.includes('after')), 'nor does the hub send it');
            }
        });

        test('the writer hears of its own write', async () => {
            const page = await open('staff');
            const ear = await new Ear(page, way).listen([REQUESTS]);
            await page.listens(REQUESTS);
            const made = plain(await page.databases.createDocument(D, 'requests', id('own'), request(id('own'))));
            const changed = plain(await page.databases.updateDocument(D, 'requests', id('own'), { status: 'cancelled' }));
            await ear.barrier();
            assert.deepEqual(ear.events.map((e) => plain(e.payload)), [made, changed]);
        });

        test('a refused write is told to nobody', async () => {
            const page = await open('staff');
            const ear = await new Ear(page, way).listen([REQUESTS, QUEUES]);
            await page.listens(REQUESTS);
            await assert.rejects(page.databases.createDocument(D, 'requests', id('bad'), { requestId: 'r' }));
            page.client.headers['X-Appwrite-Timestamp'] = '2000-01-01T00:00:00.000+00:00';
            await assert.rejects(page.databases.updateDocument(D, 'queues', VENUE, { mainQueue: '["no"]' }));
            await ear.barrier();
            assert.deepEqual(ear.heard(), []);
        });

        test('what only keys may read is told to neither guests nor users', async () => {
            const ears = [];
            for (const user of [undefined, 'guest', 'staff']) {
                const page = await open(user);
                ears.push(await new Ear(page, way).listen([channelOf('players'), REQUESTS, 'documents']));
                await page.listens(REQUESTS, 'documents');
            }
            const { status } = await hub.request('POST', '/functions/player-registry/executions', { body: {
                body: JSON.stringify({ action: 'register', venueId: VENUE, deviceId: 'd', userAgent: 'test' }) } });
            assert.equal(status, 201);
            for (const ear of ears) {
                await ear.barrier();
                assert.deepEqual(ear.heard().filter(([, of]) => !of.startsWith('barrier')), []);
            }
        });

        test('who is signed in is told so', async () => {
            const page = await open('guest');
            await new Ear(page, way).listen([REQUESTS]);
            await page.listens(REQUESTS);
            const [connected, ...more] = page.socket.frames;
            assert.equal(connected.type, 'connected');
            assert.equal(connected.data.user, null, 'the upgrade of a page carries no session');
            const answer = more.find(({ data }) => data?.to === 'authentication');
            assert.equal(answer.data.success, true);
            assert.equal(answer.data.user.$id, hub.users.guest.userId);
        });

        test('a ping is answered', async () => {
            const page = await open();
            await new Ear(page, way).listen([REQUESTS]);
            await page.listens(REQUESTS);
            if (version > 11) {
                assert.ok(page.beat() > 0, 'the SDK has a heartbeat');
            } else {
                page.socket.send('{"type":"ping"}');
            }
            assert.deepEqual(await page.frame(({ type }) => type === 'pong', 'pong'), { type: 'pong' });
            assert.deepEqual(page.errors(), []);
        });

        test('rows by the names of tables, with the names of rows inside', async () => {
            const page = await open();
            const ear = await new Ear(page, way).listen([rowsOf('requests')]);
            await page.listens(rowsOf('requests'));
            await create(id('row'));
            await page.until(() => ear.events.length, 'the event');
            assert.equal(ear.events[0].payload.$tableId, 'requests');
            assert.equal(ear.events[0].payload.$id, id('row'));
        });

        if (version >= 24) test('queries of a subscription choose', async () => {
            const page = await open();
            const { Query: Q } = page.sdk;
            const all = await new Ear(page, way).listen([REQUESTS], [Q.select(['*'])]);
            const some = await new Ear(page, way).listen([REQUESTS], [Q.equal('status', ['playing'])]);
            await page.listens(REQUESTS);
            await create(id('q1'));
            await create(id('q2'), { status: 'playing' });
            await update(id('q1'), { status: 'playing' });
            await update(id('q2'), { status: 'completed' });
            await all.barrier();
            assert.deepEqual(all.heard(), [['create', id('q1')], ['create', id('q2')], ['update', id('q1')],
                ['update', id('q2')]]);
            assert.deepEqual(some.heard(), [['create', id('q2')], ['update', id('q1')]]);
            assert.deepEqual(page.errors(), []);
        });

        test('a wrong project ends it for good', async () => {
            const page = await open();
            page.client.setProject('elsewhere');
            way(page, [REQUESTS], () => {});
            await page.until(() => page.socket?.endedWith, 'it is closed');
            assert.equal(page.socket.endedWith, 1008);
            assert.equal(page.socket.frames[0].type, 'error');
            assert.equal(page.socket.frames[0].data.code, 1008);
            assert.equal(page.timeouts.size, 0, 'the SDK does not dial again');
            assert.equal(page.sockets.length, 1);
        });
    });
}

test('the Realtime of 28 subscribes and unsubscribes on one socket', async () => {
    const page = new Page(hub, 28);
    try {
        const realtime = new page.sdk.Realtime(page.client);
        const heard = [];
        const call = (name) => ({ payload }) => { heard.push([name, payload.$id]); page.changed(); };
        const one = await realtime.subscribe(QUEUES, call('one'));
        await page.listens(QUEUES);
        const two = await realtime.subscribe([REQUESTS], call('two'));
        await page.listens(REQUESTS);
        await create('many-1');
        await page.until(() => heard.length, 'the event');
        await two.update({ channels: [channelOf('requests', 'many-2')] });
        await page.listens(channelOf('requests', 'many-2'));
        await one.unsubscribe();
        await create('many-2');
        await page.until(() => heard.some(([, id]) => id === 'many-2'), 'the event of the new channel');
        assert.equal(page.sockets.length, 1);
        await two.close();
        await page.until(() => page.socket.endedWith, 'the socket is closed with the last one');
        assert.deepEqual(heard, [['two', 'many-1'], ['two', 'many-2']]);
        assert.deepEqual(page.errors(), []);
    } finally {
        page.close();
    }
});

test('a JWT in the URL says who is there', async () => {
    const page = new Page(hub, 28), other = new Page(hub, 28);
    try {
        await page.signIn(hub.email('staff'), PASSWORD);
        const { jwt } = await page.account.createJWT();
        other.client.setJWT(jwt);
        await new Ear(other, byRealtime).listen([REQUESTS]);
        const { data } = await other.frame(({ type }) => type === 'connected', 'connected');
        assert.equal(data.user.$id, hub.users.staff.userId);
    } finally {
        page.close();
        other.close();
    }
});

test('a session in the headers of the upgrade says who is there, and stays a guest when it is none', async () => {
    const page = new Page(hub, 18);
    try {
        await page.signIn(hub.email('staff'), PASSWORD);
        const secret = JSON.parse(page.window.localStorage.getItem('cookieFallback'))[`a_session_${PROJECT}`];
        for (const [headers, id] of [[{ 'x-appwrite-session': secret }, hub.users.staff.userId],
            [{ cookie: `a_session_${PROJECT}=${secret}` }, hub.users.staff.userId],
            [{ 'x-appwrite-session': 'nonsense' }, undefined], [{ 'x-appwrite-key': hub.keys.test }, undefined]]) {
            const url = `${hub.socketUrl}/realtime?project=${PROJECT}&channels[]=${REQUESTS}`;
            const socket = page.dial(url, headers);
            const { data } = await page.frame(({ type }) => type === 'connected', 'connected');
            assert.equal(data.user?.$id, id, JSON.stringify(headers));
            socket.terminate();
        }
    } finally {
        page.close();
    }
});
