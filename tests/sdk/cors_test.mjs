// Which pages may talk to the hub: answers to bare requests with an Origin. (Every other test here runs under the same
// rules, too: see browser.mjs.)
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { Page, VERSIONS, refused } from './browser.mjs';
import { DATABASE, Hub, VENUE, PASSWORD, PROJECT, packages, within } from './hub.mjs';

const WebSocket = packages('ws');
const OURS = ['http://localhost:3000', 'http://127.0.0.1', 'https://jukebox.localhost', 'http://192.168.1.20:8080',
    'http://10.1.2.3', 'http://172.31.255.255', 'http://[::1]:5173', 'http://[fd00::1]', 'https://app.example',
    'https://admin.bars.example:8443'];
const THEIRS = ['https://evil.example', 'null', 'http://localhost.evil.example', 'http://127.0.0.1.evil.example',
    'http://evil.example?localhost', 'http://localhost@evil.example', 'http://172.32.0.1', 'http://8.8.8.8',
    'http://app.example.evil.example', 'https://bars.example', 'https://evilbars.example', 'ftp://localhost',
    'file://', 'localhost', 'http://', 'http://[::2]', `http://${'a'.repeat(3000)}.localhost.example`];
const NAMES = ['Content-Type', 'X-Appwrite-Project', 'X-Appwrite-Session', 'X-Appwrite-JWT', 'X-Appwrite-Timestamp',
    'X-Appwrite-Response-Format', 'X-Fallback-Cookies', 'X-SDK-Name', 'X-SDK-Version', 'X-SDK-Language', 'X-SDK-Platform',
    'X-Appwrite-Key', 'X-Appwrite-Locale'];

let hub;
before(async () => {
    hub = await Hub.start({ users: { staff: 'staff' }, keys: ['test'],
        options: ['--set', 'hub.origins=app.example *.bars.example'] });
});
after(() => hub?.stop());

const words = (text) => (text ?? '').split(',').map((word) => word.trim().toLowerCase());

function assertOpen(headers, origin, what) {
    assert.equal(headers['access-control-allow-origin'], origin, what);
    assert.equal(headers['access-control-allow-credentials'], 'true', what);
    assert.ok(words(headers['access-control-expose-headers']).includes('x-fallback-cookies'), what);
    assert.ok(words(headers.vary).includes('origin'), `${what}: caches must tell origins apart`);
}

describe('pages of the house', () => {
    for (const origin of OURS) {
        test(`${origin} may ask, with credentials`, async () => {
            for (const path of [hub.documents('queues'), hub.documents('queues', 'venue-001'), '/account/sessions/email',
                '/functions/processRequest/executions', '/nothing/there']) {
                const { status, headers, text } = await hub.request('OPTIONS', path, { project: null, headers: {
                    origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': NAMES.join(',') } });
                assert.ok(status >= 200 && status < 300, `${path}: ${status}`);
                assert.equal(text, '');
                assertOpen(headers, origin, path);
                for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
                    assert.ok(words(headers['access-control-allow-methods']).includes(method), `${path}: ${method}`);
                }
                for (const name of NAMES) {
                    assert.ok(words(headers['access-control-allow-headers']).includes(name.toLowerCase()), `${path}: ${name}`);
                }
                assert.ok(Number(headers['access-control-max-age']) > 0);
            }
        });

        test(`${origin} sees answers and errors`, async () => {
            const cases = [[200, 'GET', hub.documents('queues')], [404, 'GET', hub.documents('queues', 'nothing')],
                [404, 'GET', '/nothing/there'], [401, 'GET', '/account'], [401, 'PATCH', hub.documents('queues', 'venue-001'),
                    { body: { data: { mainQueue: '[]' } } }], [400, 'POST', hub.documents('queues'), { body: '{"documentId"' }],
                [404, 'GET', hub.documents('queues'), { project: 'elsewhere' }], [404, 'GET', '/account', { project: null }]];
            for (const [expected, method, path, more] of cases) {
                const { status, headers, json } = await hub.request(method, path, { ...more, headers: { origin } });
                assert.equal(status, expected, `${method} ${path}`);
                assertOpen(headers, origin, `${method} ${path}`);
                assert.match(headers['content-type'], /^application\/json/);
                if (status >= 400) {
                    assert.deepEqual(Object.keys(json).sort(), ['code', 'message', 'type', 'version']);
                    assert.equal(json.code, status);
                }
            }
        });
    }

    test('a delete is answered without a body and without a type', async () => {
        const headers = { origin: OURS[0], 'x-appwrite-key': hub.keys.test };
        const data = { requestId: 'r', venueId: 'v', song: '{}', requesterId: 'g', timestamp: new Date(0).toISOString() };
        await hub.request('POST', hub.documents('requests'), { headers, body: { documentId: 'gone', data } });
        const answer = await hub.request('DELETE', hub.documents('requests', 'gone'), { headers, body: {} });
        assert.deepEqual([answer.status, answer.text, answer.headers['content-type']], [204, '', undefined]);
        assertOpen(answer.headers, OURS[0], 'DELETE');
    });

    test('a session goes into a cookie that scripts cannot read, and into the fallback header', async () => {
        const { status, headers } = await hub.request('POST', '/account/sessions/email', {
            headers: { origin: OURS[0] }, body: { email: hub.email('staff'), password: PASSWORD } });
        assert.equal(status, 201);
        const [cookie] = headers['set-cookie'];
        assert.match(cookie, new RegExp(`^a_session_${PROJECT}=[^;]{20,};`));
        assert.match(cookie, /; HttpOnly/i);
        assert.match(cookie, /; SameSite=/i);
        const secret = JSON.parse(headers['x-fallback-cookies'])[`a_session_${PROJECT}`];
        for (const carried of [{ cookie: cookie.split(';')[0] }, { cookie: `other=1; ${cookie.split(';')[0]}; x=y` },
            { 'x-fallback-cookies': headers['x-fallback-cookies'] }, { 'x-appwrite-session': secret }]) {
            const account = await hub.request('GET', '/account', { headers: { origin: OURS[0], ...carried } });
            assert.equal(account.json.$id, hub.users.staff.userId, Object.keys(carried)[0]);
        }
    });

    test('a program without an Origin is told nothing of origins', async () => {
        const { status, headers } = await hub.request('GET', hub.documents('queues'));
        assert.equal(status, 200);
        assert.equal(headers['access-control-allow-origin'], undefined);
    });

    test('an empty Origin is none', async () => {
        const { status } = await hub.request('GET', hub.documents('queues'), { headers: { origin: '' } });
        assert.equal(status, 200);
    });
});

// How a WebSocket from that page ends: its first frame and the code of its end.
function dial(origin, channel) {
    const socket = new WebSocket(`${hub.socketUrl}/realtime?project=${PROJECT}&channels[]=${channel}`, { headers: { origin } });
    const frames = [];
    socket.on('message', (data) => {
        frames.push(JSON.parse(data));
        if (frames[0].type === 'connected') {
            socket.close(1000);
        }
    });
    return within(new Promise((resolve, reject) => {
        socket.on('error', reject);
        socket.on('close', (code) => resolve([frames[0], code]));
    }), `the socket of ${origin}`);
}

describe('pages of others', () => {
    for (const origin of THEIRS) {
        test(`${origin.slice(0, 60)} may not`, async () => {
            const preflight = await hub.request('OPTIONS', hub.documents('queues'), { project: null, headers: {
                origin, 'access-control-request-method': 'GET', 'access-control-request-headers': NAMES[1] } });
            assert.equal(preflight.headers['access-control-allow-origin'], undefined);
            const before = (await hub.request('GET', hub.documents('requests'))).json.total;
            const session = await hub.request('POST', '/account/sessions/anonymous', { headers: { origin } });
            const song = { venueId: 'venue-001', song: { videoId: 'x', duration: 1 }, paymentId: 'p', requesterId: 'r' };
            const run = await hub.request('POST', '/functions/processRequest/executions',
                { headers: { origin }, body: { body: JSON.stringify(song) } });
            const read = await hub.request('GET', hub.documents('queues'), { headers: { origin } });
            for (const { status, json, headers } of [session, run, read]) {
                assert.deepEqual([status, json.type], [403, 'general_unknown_origin']);
                assert.equal(headers['access-control-allow-origin'], undefined);
                assert.equal(headers['set-cookie'], undefined);
            }
            assert.equal((await hub.request('GET', hub.documents('requests'))).json.total, before, 'and nothing is done');
        });
    }

    test('nor by a WebSocket', async () => {
        const [refusal, code] = await dial(THEIRS[0], 'documents');
        assert.deepEqual([refusal.type, refusal.data.code, code], ['error', 1008, 1008]);
        const [connected, end] = await dial(OURS[0], 'documents');
        assert.deepEqual([connected.type, end], ['connected', 1000]);
    });

    test('whoever has a key is a program and may come from anywhere', async () => {
        const origin = THEIRS[0];
        const good = await hub.request('GET', hub.documents('players'), { headers: { origin, 'x-appwrite-key': hub.keys.test } });
        assert.equal(good.status, 200);
        const bad = await hub.request('GET', hub.documents('queues'), { headers: { origin, 'x-appwrite-key': 'standard_x' } });
        assert.ok(bad.status === 401 || bad.status === 403, String(bad.status));
    });
});

// A page learns that, too, and not only that something went wrong.
describe('a hub whose disk takes nothing', () => {
    let full;
    before(async () => { full = await Hub.start({ wrap: ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'] }); });
    after(() => full?.stop());

    for (const version of VERSIONS) {
        test(`says so to appwrite ${version}`, async () => {
            const page = new Page(full, version);
            const limit = (bytes) => execFileSync('prlimit', [`--pid=${full.process.pid}`, `--fsize=${bytes}:`]);
            const write = () => page.databases.updateDocument(DATABASE, 'queues', VENUE, { mainQueue: `[${version}]` });
            try {
                await page.account.createAnonymousSession();
                limit(1);
                await refused(page, write, 503, 'general_server_error');
                await refused(page, () => page.account.createJWT(), 503, 'general_server_error');
                limit('unlimited');
                assert.equal((await write()).mainQueue, `[${version}]`);
            } finally {
                page.close();
            }
        });
    }
});
