// Writes that stand on what was read: X-Appwrite-Timestamp by every web SDK, and fifty who add at once.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Page, VERSIONS, refused } from './browser.mjs';
import { DATABASE as D, Hub, PASSWORD, VENUE } from './hub.mjs';

const PHONES = 50;
let hub;
before(async () => { hub = await Hub.start({ users: { staff: 'staff' } }); });
after(() => hub?.stop());

// Runs `call` with the guard set to that time.
async function guarded(page, time, call) {
    page.client.headers['X-Appwrite-Timestamp'] = time;
    try {
        return await call();
    } finally {
        delete page.client.headers['X-Appwrite-Timestamp'];
    }
}

const read = (page) => page.databases.getDocument(D, 'queues', VENUE);
const write = (page, mainQueue) => page.databases.updateDocument(D, 'queues', VENUE, { mainQueue });

// Appends an entry to what is there, again and again until nobody came between. How often it had to be done.
async function add(page, id) {
    for (let tries = 1; ; tries++) {
        const queue = await read(page);
        const mainQueue = JSON.stringify([...JSON.parse(queue.mainQueue), { id }]);
        try {
            await guarded(page, queue.$updatedAt, () => write(page, mainQueue));
            return tries;
        } catch (error) {
            assert.deepEqual([error.code, error.type], [409, 'document_update_conflict'], error.stack);
        }
    }
}

for (const version of VERSIONS) {
    describe(`appwrite ${version}`, () => {
        let page;
        before(async () => {
            page = new Page(hub, version);
            await page.signIn(hub.email('staff'), PASSWORD);
        });
        after(() => page?.close());

        test('a write on what is current is taken, one on what is older is refused', async () => {
            const first = await read(page);
            const second = await guarded(page, first.$updatedAt, () => write(page, `["${version}"]`));
            assert.ok(second.$updatedAt > first.$updatedAt);
            await refused(page, () => guarded(page, first.$updatedAt, () => write(page, '["lost"]')), 409,
                'document_update_conflict');
            assert.equal((await read(page)).mainQueue, `["${version}"]`);
            const third = await guarded(page, second.$updatedAt, () => write(page, '[]'));
            assert.ok(third.$updatedAt > second.$updatedAt);
        });

        test('writes of one moment have times of their own, each later than the one before', async () => {
            let last = (await read(page)).$updatedAt;
            for (let i = 0; i < 10; i++) {
                const { $updatedAt } = await guarded(page, last, () => write(page, `[${i}]`));
                assert.ok($updatedAt > last, `${$updatedAt} after ${last}`);
                last = $updatedAt;
            }
            const written = await Promise.all(Array.from({ length: 100 }, (_, i) => write(page, `["at once", ${i}]`)));
            const times = new Set(written.map(({ $updatedAt }) => $updatedAt));
            assert.equal(times.size, written.length);
            const { mainQueue, $updatedAt } = await read(page);
            assert.equal($updatedAt, [...times].sort().at(-1));
            assert.equal(mainQueue, written.find((queue) => queue.$updatedAt === $updatedAt).mainQueue);
            await write(page, '[]');
        });

        test('a delete is guarded, too', async () => {
            const id = `guard-${version}`;
            const data = { requestId: 'r', venueId: 'v', song: '{}', requesterId: 'g', timestamp: new Date(0).toISOString() };
            const made = await page.databases.createDocument(D, 'requests', id, data);
            await page.databases.updateDocument(D, 'requests', id, { status: 'playing' });
            const remove = () => page.databases.deleteDocument(D, 'requests', id);
            await refused(page, () => guarded(page, made.$updatedAt, remove), 409, 'document_update_conflict');
            const { $updatedAt } = await page.databases.getDocument(D, 'requests', id);
            await guarded(page, $updatedAt, remove);
            await refused(page, () => page.databases.getDocument(D, 'requests', id), 404, 'document_not_found');
        });

        test('a time is understood in any form, and what is none is refused', async () => {
            const { $updatedAt } = await read(page);
            const zulu = new Date($updatedAt).toISOString();
            await guarded(page, zulu, () => write(page, '["z"]'));
            await refused(page, () => guarded(page, zulu, () => write(page, '["y"]')), 409, 'document_update_conflict');
            await refused(page, () => guarded(page, 'yesterday', () => write(page, '["x"]')), 400,
                'general_argument_invalid');
            assert.equal((await read(page)).mainQueue, '["z"]');
        });
    });
}

test(`${PHONES} phones add to one queue at once and nothing is lost`, async () => {
    const pages = [];
    try {
        for (let i = 0; i < PHONES; i++) {
            pages.push(new Page(hub, VERSIONS[i % VERSIONS.length]));
            await pages[i].account.createAnonymousSession();
        }
        await write(pages[0], '[]');
        const tries = await Promise.all(pages.map((page, i) => add(page, `phone-${i}`)));
        const ids = JSON.parse((await read(pages[0])).mainQueue).map((entry) => entry.id);
        assert.deepEqual([...ids].sort(), pages.map((_, i) => `phone-${i}`).sort());
        assert.ok(Math.max(...tries) > 1, 'they came between each other, else nothing was shown');
    } finally {
        pages.forEach((page) => page.close());
    }
});
