// Documents by every web SDK: create, read, change, delete, the SDK's own queries, errors as its exceptions.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Page, VERSIONS, plain, refused } from './browser.mjs';
import { DATABASE as D, Hub, PASSWORD } from './hub.mjs';

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/;
let hub;
before(async () => { hub = await Hub.start({ users: { staff: 'staff' } }); });
after(() => hub?.stop());

function request(venueId, n, more = {}) {
    return {
        requestId: `r${n}`, venueId, song: JSON.stringify({ videoId: `v${n}`, title: `Song ${n}` }),
        requesterId: `guest-${n % 3}`, timestamp: new Date(Date.UTC(2026, 0, 1, 12, n)).toISOString(), ...more,
    };
}

async function signedIn(version) {
    const page = new Page(hub, version);
    await page.signIn(hub.email('staff'), PASSWORD);
    return page;
}

for (const version of VERSIONS) {
    describe(`appwrite ${version}`, () => {
        const venue = `venue-${version}`;
        let page;
        before(async () => { page = await signedIn(version); });
        after(() => page?.close());

        test('a document is created, read, changed in part and deleted', async () => {
            const id = `one-${version}`;
            const made = await page.databases.createDocument(D, 'requests', id, request(venue, 1));
            assert.equal(made.$id, id);
            assert.equal(made.$collectionId, 'requests');
            assert.equal(made.$databaseId, D);
            assert.match(made.$createdAt, STAMP);
            assert.equal(made.$updatedAt, made.$createdAt);
            assert.equal(made.status, 'queued', 'the default');
            assert.equal(made.paymentId, null);
            assert.equal(made.timestamp, '2026-01-01T12:01:00.000+00:00', 'dates are normalised');
            assert.deepEqual(plain(await page.databases.getDocument(D, 'requests', id)), plain(made));
            const changed = await page.databases.updateDocument(D, 'requests', id, { status: 'playing' });
            assert.deepEqual({ ...plain(made), status: 'playing', $updatedAt: changed.$updatedAt }, plain(changed));
            assert.ok(changed.$updatedAt > made.$updatedAt, 'a later time');
            await page.databases.deleteDocument(D, 'requests', id);
            await refused(page, () => page.databases.getDocument(D, 'requests', id), 404, 'document_not_found');
        });

        test('the server makes an id when asked for a unique one', async () => {
            const ids = new Set();
            for (let i = 0; i < 2; i++) {
                const made = await page.databases.createDocument(D, 'requests', page.sdk.ID.unique(),
                    request(`${venue}-ids`, i));
                assert.match(made.$id, /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}$/);
                ids.add(made.$id);
            }
            assert.equal(ids.size, 2);
            assert.ok(!ids.has('unique()'));
        });

        test('any text comes back as it was sent', async () => {
            const texts = ['"quotes" \\ back\\slash / slash', 'Motörhead – Bäng 🎸 \u202eabc', 'line\nbreak\ttab',
                '%s %00 &amp; <b> \'); DROP TABLE documents;--', '\u0001\u001f\u007f', '[]{}', ' '];
            for (const [i, text] of texts.entries()) {
                const made = await page.databases.createDocument(D, 'requests', `text-${version}-${i}`,
                    request(`${venue}-text`, i, { requesterId: text }));
                const read = await page.databases.getDocument(D, 'requests', made.$id);
                assert.equal(made.requesterId, text);
                assert.equal(read.requesterId, text);
            }
        });

        test('queries of the SDK find what they say', async () => {
            const v = `${venue}-queries`;
            for (let n = 0; n < 30; n++) {
                await page.databases.createDocument(D, 'requests', `q${version}-${n}`, request(v, n, {
                    status: ['queued', 'playing', 'completed'][n % 3],
                    paymentId: n % 10 === 0 ? `pay+${n} %41,[ä]` : null,
                    cancelReason: n === 7 ? 'the quick brown fox' : null,
                }));
            }
            const at = (n) => new Date(Date.UTC(2026, 0, 1, 12, n)).toISOString();
            const range = (a, b, step = 1) => Array.from({ length: Math.ceil((b - a) / step) }, (_, i) => a + i * step);
            const { Query: Q } = page.sdk;
            const all = Q.limit(100);
            // name, queries besides the venue's, what is found, how many there are without limit
            const cases = [
                ['nothing more: the first 25 in order of creation', [], range(0, 25), 30],
                ['limit', [Q.limit(3)], [0, 1, 2], 30],
                ['offset', [Q.limit(3), Q.offset(4)], [4, 5, 6], 30],
                ['orderDesc', [Q.orderDesc('timestamp'), Q.limit(3)], [29, 28, 27], 30],
                ['orderAsc', [Q.orderAsc('timestamp'), Q.limit(3)], [0, 1, 2], 30],
                ['two orders', [Q.orderDesc('requesterId'), Q.orderAsc('timestamp'), Q.limit(3)], [2, 5, 8], 30],
                ['orderDesc of $createdAt', [Q.orderDesc('$createdAt'), Q.limit(2)], [29, 28], 30],
                ['equal', [Q.equal('status', 'playing'), all], range(1, 30, 3), 10],
                ['equal to one in a list', [Q.equal('status', ['playing']), all], range(1, 30, 3), 10],
                ['equal to any of several', [Q.equal('status', ['queued', 'playing']), all],
                    range(0, 30).filter((n) => n % 3 < 2), 20],
                ['equal to a text with + % , [ ] and blanks', [Q.equal('paymentId', 'pay+10 %41,[ä]')], [10], 1],
                ['equal to $id', [Q.equal('$id', `q${version}-12`)], [12], 1],
                ['notEqual', [Q.notEqual('status', 'playing'), all], range(0, 30).filter((n) => n % 3 !== 1), 20],
                ['greaterThan', [Q.greaterThan('timestamp', at(26))], [27, 28, 29], 3],
                ['greaterThanEqual', [Q.greaterThanEqual('timestamp', at(26))], [26, 27, 28, 29], 4],
                ['lessThan', [Q.lessThan('timestamp', at(2))], [0, 1], 2],
                ['lessThanEqual', [Q.lessThanEqual('timestamp', at(2))], [0, 1, 2], 3],
                ['between', [Q.between('timestamp', at(4), at(6))], [4, 5, 6], 3],
                ['both ends', [Q.greaterThan('timestamp', at(4)), Q.lessThan('timestamp', at(7))], [5, 6], 2],
                ['isNull', [Q.isNull('paymentId'), all], range(0, 30).filter((n) => n % 10), 27],
                ['isNotNull', [Q.isNotNull('paymentId')], [0, 10, 20], 3],
                ['startsWith', [Q.startsWith('requestId', 'r2'), all], [2, ...range(20, 30)], 11],
                ['endsWith', [Q.endsWith('requestId', '9')], [9, 19, 29], 3],
                ['search', [Q.search('cancelReason', 'brown')], [7], 1],
                ['cursorAfter', [Q.cursorAfter(`q${version}-9`), Q.limit(2)], [10, 11], 30],
                ['cursorAfter in another order', [Q.orderDesc('timestamp'), Q.cursorAfter(`q${version}-9`), Q.limit(2)],
                    [8, 7], 30],
                ['cursorBefore', [Q.cursorBefore(`q${version}-9`), Q.limit(2)], [7, 8], 30],
                ['nothing there', [Q.equal('status', 'cancelled')], [], 0],
            ];
            if (Q.or) {
                cases.push(['or', [Q.or([Q.equal('requestId', 'r3'), Q.equal('requestId', 'r5')])], [3, 5], 2],
                    ['and in or', [Q.or([Q.and([Q.equal('status', 'queued'), Q.equal('requesterId', 'guest-0'),
                        Q.lessThan('timestamp', at(4))]), Q.equal('requestId', 'r29')])], [0, 3, 29], 3],
                    ['contains', [Q.contains('cancelReason', 'ick bro')], [7], 1]);
            }
            for (const [name, queries, found, total] of cases) {
                const list = await page.databases.listDocuments(D, 'requests', [Q.equal('venueId', v), ...queries])
                    .catch((error) => { throw new Error(`${name}: ${error.message}`, { cause: error }); });
                assert.deepEqual(list.documents.map((d) => Number(d.requestId.slice(1))), found, name);
                assert.equal(list.total, total, `${name}: total`);
            }
        });

        test('select gives only what is asked for', async () => {
            const { Query: Q } = page.sdk;
            const made = await page.databases.createDocument(D, 'requests', `select-${version}`,
                request(`${venue}-select`, 1));
            const list = await page.databases.listDocuments(D, 'requests', [Q.equal('$id', made.$id),
                Q.select(['$id', 'venueId'])]);
            assert.equal(list.documents[0].$id, made.$id);
            assert.equal(list.documents[0].venueId, `${venue}-select`);
            assert.ok(!('song' in list.documents[0]));
            const one = await page.databases.getDocument(D, 'requests', made.$id, [Q.select(['requestId'])]);
            assert.equal(one.requestId, 'r1');
            assert.ok(!('song' in one));
        });

        test('what is wrong is refused with code and type, and nothing is written', async () => {
            const { Query: Q } = page.sdk;
            const { databases } = page;
            const v = `${venue}-wrong`;
            await databases.createDocument(D, 'requests', `there-${version}`, request(v, 1));
            const create = (data, id = `wrong-${version}`) => databases.createDocument(D, 'requests', id, data);
            const list = (...queries) => databases.listDocuments(D, 'requests', queries);
            const cases = [
                [404, 'database_not_found', () => databases.listDocuments('nowhere', 'requests')],
                [404, 'collection_not_found', () => databases.listDocuments(D, 'nothing')],
                [404, 'document_not_found', () => databases.getDocument(D, 'requests', 'nothing')],
                [404, 'document_not_found', () => databases.updateDocument(D, 'requests', 'nothing', { status: 'queued' })],
                [404, 'document_not_found', () => databases.deleteDocument(D, 'requests', 'nothing')],
                [409, 'document_already_exists', () => create(request(v, 2), `there-${version}`)],
                [400, 'general_argument_invalid', () => create(request(v, 2), '-starts-with-a-dash')],
                [400, 'general_argument_invalid', () => create(request(v, 2), 'x'.repeat(37))],
                [400, 'document_invalid_structure', () => create({ ...request(v, 2), isPlaying: true })],
                [400, 'document_invalid_structure', () => create({ ...request(v, 2), status: 'pending' })],
                [400, 'document_invalid_structure', () => create({ ...request(v, 2), timestamp: 'yesterday' })],
                [400, 'document_invalid_structure', () => create({ ...request(v, 2), song: { videoId: 'x' } })],
                [400, 'document_invalid_structure', () => create({ ...request(v, 2), requestId: 7 })],
                [400, 'document_invalid_structure', () => create({ ...request(v, 2), requestId: 'ä'.repeat(256) })],
                [400, 'document_invalid_structure', () => create({ ...request(v, 2), song: undefined })],
                [400, 'document_invalid_structure', () => databases.updateDocument(D, 'requests', `there-${version}`,
                    { requestId: null })],
                [400, 'general_query_invalid', () => list(Q.equal('nothing', 'x'))],
                [400, 'general_query_invalid', () => list(Q.limit(-1))],
                [400, 'general_query_invalid', () => list('nonsense')],
                [400, 'general_query_invalid', () => list('nonsense("x")')],
                [400, 'general_cursor_not_found', () => list(Q.cursorAfter('nothing'))],
            ];
            for (const [i, [code, type, call]] of cases.entries()) {
                await refused(page, call, code, type, `${i}: ${call}`);
            }
            assert.equal((await list(Q.equal('venueId', v))).total, 1);
            const limit = await create({ ...request(v, 2), requestId: 'ä'.repeat(255) });
            assert.equal(limit.requestId.length, 255, 'sizes count characters');
        });

        test('a guest reads but does not write', async () => {
            const guest = new Page(hub, version);
            try {
                assert.ok((await guest.databases.listDocuments(D, 'queues')).total >= 1);
                const id = `guest-${version}`;
                await refused(guest, () => guest.databases.createDocument(D, 'requests', id, request(venue, 1)), 401,
                    'user_unauthorized');
                await refused(guest, () => guest.databases.updateDocument(D, 'queues', 'venue-001', { mainQueue: '[1]' }),
                    401, 'user_unauthorized');
                await refused(guest, () => guest.databases.deleteDocument(D, 'queues', 'venue-001'), 401,
                    'user_unauthorized');
                await refused(page, () => page.databases.listDocuments(D, 'players'), 401, 'user_unauthorized');
                assert.equal((await guest.databases.getDocument(D, 'queues', 'venue-001')).mainQueue, '[]');
            } finally {
                guest.close();
            }
        });

        if (version >= 18) test('an upsert makes, then replaces', async () => {
            const id = `upsert-${version}`;
            const made = await page.databases.upsertDocument(D, 'requests', id, request(venue, 1, { paymentId: 'p' }));
            assert.equal(made.$id, id);
            const again = await page.databases.upsertDocument(D, 'requests', id, request(venue, 2));
            assert.equal(again.requestId, 'r2');
            assert.equal(again.$createdAt, made.$createdAt);
            assert.ok(again.$updatedAt > made.$updatedAt);
            assert.deepEqual(plain(await page.databases.getDocument(D, 'requests', id)), plain(again));
        });

        if (version >= 18) test('counters go up and down to their bounds', async () => {
            const id = `counter-${version}`;
            const up = (...args) => page.databases.incrementDocumentAttribute(D, 'venues', id, 'creditCost', ...args);
            const down = (...args) => page.databases.decrementDocumentAttribute(D, 'venues', id, 'creditCost', ...args);
            await page.databases.createDocument(D, 'venues', id, {
                venueId: id, name: 'Counter', slug: id, ownerId: 'o', createdAt: new Date(0).toISOString(), creditCost: 5,
            });
            assert.equal((await up()).creditCost, 6);
            assert.equal((await up(4, 10)).creditCost, 10);
            await refused(page, () => up(1, 10), 400, 'attribute_limit_exceeded');
            assert.equal((await down(3)).creditCost, 7);
            await refused(page, () => down(3, 5), 400, 'attribute_limit_exceeded');
            await refused(page, () => page.databases.incrementDocumentAttribute(D, 'venues', id, 'name'), 400,
                'attribute_type_invalid');
            assert.equal((await page.databases.getDocument(D, 'venues', id)).creditCost, 7);
        });

        if (version >= 24) test('the same through tables and rows', async () => {
            const where = { databaseId: D, tableId: 'requests', rowId: `row-${version}` };
            const { tables, sdk: { Query: Q } } = page;
            const made = await tables.createRow({ ...where, data: request(`${venue}-rows`, 1) });
            assert.equal(made.$tableId, 'requests');
            assert.ok(!('$collectionId' in made));
            const list = await tables.listRows({ databaseId: D, tableId: 'requests',
                queries: [Q.equal('venueId', [`${venue}-rows`])] });
            assert.equal(list.total, 1);
            assert.deepEqual(plain(list.rows), [plain(made)]);
            const changed = await tables.updateRow({ ...where, data: { status: 'completed' } });
            assert.equal(changed.status, 'completed');
            assert.deepEqual(plain(await tables.getRow(where)), plain(changed));
            const put = await tables.upsertRow({ ...where, data: request(`${venue}-rows`, 3) });
            assert.equal(put.requestId, 'r3');
            assert.equal(put.$tableId, 'requests');
            assert.equal((await page.databases.getDocument(D, 'requests', where.rowId)).$collectionId, 'requests',
                'one document by both names');
            await tables.deleteRow(where);
            await refused(page, () => tables.getRow(where), 404, 'document_not_found');
            const counter = { databaseId: D, tableId: 'venues', rowId: `rows-${version}` };
            await tables.createRow({ ...counter, data: { venueId: 'x', name: 'x', slug: counter.rowId, ownerId: 'o',
                createdAt: new Date(0).toISOString(), creditCost: 1 } });
            const column = { ...counter, column: 'creditCost' };
            assert.equal((await tables.incrementRowColumn({ ...column, value: 2, max: 3 })).creditCost, 3);
            assert.equal((await tables.decrementRowColumn({ ...column, value: 3, min: 0 })).creditCost, 0);
            await refused(page, () => tables.decrementRowColumn({ ...column, min: 0 }), 400, 'attribute_limit_exceeded');
        });
    });
}
