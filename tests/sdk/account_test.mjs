// Signing in and out by every web SDK: with e-mail and password, as nobody, by a JWT, by a session's secret.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Page, VERSIONS, plain, refused } from './browser.mjs';
import { DATABASE as D, Hub, PASSWORD, PROJECT } from './hub.mjs';

let hub;
before(async () => { hub = await Hub.start({ users: { owner: 'owner', guest: 'guest' }, keys: ['kiosk'] }); });
after(() => hub?.stop());

function fallback(page) {
    return JSON.parse(page.window.localStorage.getItem('cookieFallback') ?? '{}')[`a_session_${PROJECT}`];
}

for (const version of VERSIONS) {
    describe(`appwrite ${version}`, () => {
        let page;
        before(() => { page = new Page(hub, version); });
        after(() => page?.close());

        test('nobody is signed in at first', async () => {
            await refused(page, () => page.account.get(), 401, 'general_unauthorized_scope');
        });

        test('a wrong password is refused, and nobody is signed in by it', async () => {
            await refused(page, () => page.signIn(hub.email('owner'), 'wrong-password'), 401, 'user_invalid_credentials');
            await refused(page, () => page.account.get(), 401, 'general_unauthorized_scope');
        });

        test('e-mail and password sign in, the secret is only in the cookie and its fallback', async () => {
            const session = await page.signIn(hub.email('owner'), PASSWORD);
            assert.equal(session.userId, hub.users.owner.userId);
            assert.equal(session.secret, '', 'no secret in a body that pages log');
            assert.ok(fallback(page).length > 20);
            assert.ok(new Date(session.expire) > new Date(session.$createdAt));
            const account = await page.account.get();
            assert.equal(account.$id, hub.users.owner.userId);
            assert.equal(account.email, hub.email('owner'));
            assert.deepEqual(plain(account.labels), ['owner']);
            assert.ok(!JSON.stringify(account).match(/"(password|hash|hashOptions)"/));
        });

        test('its session is told and can be ended', async () => {
            const sessions = await page.account.listSessions();
            assert.ok(sessions.total >= 1);
            const current = sessions.sessions.filter((s) => s.current);
            assert.equal(current.length, 1);
            assert.equal((await page.account.getSession('current')).$id, current[0].$id);
            assert.equal((await page.account.getSession(current[0].$id)).userId, hub.users.owner.userId);
            await refused(page, () => page.account.getSession('nothing'), 404, 'user_session_not_found');
            const secret = fallback(page);
            await page.account.deleteSession('current');
            await refused(page, () => page.account.get(), 401, 'general_unauthorized_scope');
            page.window.localStorage.setItem('cookieFallback', JSON.stringify({ [`a_session_${PROJECT}`]: secret }));
            await refused(page, () => page.account.get(), 401, 'general_unauthorized_scope');
        });

        test('an anonymous session has an account of its own and may write queues', async () => {
            const session = await page.account.createAnonymousSession();
            const account = await page.account.get();
            assert.equal(account.$id, session.userId);
            assert.equal(account.email, '');
            const other = new Page(hub, version);
            try {
                assert.notEqual((await other.account.createAnonymousSession()).userId, session.userId);
            } finally {
                other.close();
            }
            const updated = await page.databases.updateDocument(D, 'queues', 'venue-001', { mainQueue: `[${version}]` });
            assert.equal(updated.mainQueue, `[${version}]`);
        });

        test('a JWT stands for the account until its session ends', async () => {
            await page.signIn(hub.email('guest'), PASSWORD);
            const { jwt } = await page.account.createJWT();
            assert.equal(jwt.split('.').length, 3);
            const other = new Page(hub, version);
            try {
                other.client.setJWT(jwt);
                assert.equal((await other.account.get()).$id, hub.users.guest.userId);
                const list = await other.databases.listDocuments(D, 'queues');
                assert.equal(list.total, 1);
                const middle = jwt.length / 2 | 0;
                const forged = jwt.slice(0, middle) + (jwt[middle] === 'A' ? 'B' : 'A') + jwt.slice(middle + 1);
                other.client.setJWT(forged);
                await refused(other, () => other.account.get(), 401, 'user_jwt_invalid');
                other.client.setJWT(jwt);
                await page.account.deleteSessions();
                await refused(other, () => other.account.get(), 401, 'user_jwt_invalid');
            } finally {
                other.close();
            }
        });

        test('a token of a server signs in once, without a password', async () => {
            const { json: token } = await hub.request('POST', `/users/${hub.users.owner.userId}/tokens`,
                { headers: { 'x-appwrite-key': hub.keys.kiosk }, body: {} });
            const other = new Page(hub, version);
            try {
                const { userId, secret } = token;
                const use = () => version < 18 ? other.account.updateMagicURLSession(userId, secret)
                    : version < 24 ? other.account.createSession(userId, secret)
                        : other.account.createSession({ userId, secret });
                const session = await use();
                assert.deepEqual([session.userId, session.provider], [userId, 'token']);
                assert.equal((await other.account.get()).email, hub.email('owner'));
                await refused(other, use, 401, 'user_invalid_token');
            } finally {
                other.close();
            }
        });

        test('a login by mail is told that there is none', async () => {
            await refused(page, () => version < 18 ? page.account.createMagicURLSession('unique()', 'a@b.c')
                : page.account.createMagicURLToken('unique()', 'a@b.c'), 503, 'general_smtp_disabled');
        });

        if (version >= 18) test('a session is carried by its secret, as devices do', async () => {
            await page.signIn(hub.email('owner'), PASSWORD);
            const other = new Page(hub, version);
            try {
                other.client.setSession(fallback(page));
                assert.equal((await other.account.get()).$id, hub.users.owner.userId);
                const before = await other.account.getSession('current');
                const extended = await other.account.updateSession('current');
                assert.equal(extended.$id, before.$id);
                assert.ok(extended.expire >= before.expire);
            } finally {
                other.close();
            }
        });

        test('an eleventh session of one account ends the oldest', async () => {
            const pages = [];
            try {
                for (let i = 0; i < 11; i++) {
                    pages.push(new Page(hub, version));
                    await pages[i].signIn(hub.email('guest'), PASSWORD);
                }
                await refused(pages[0], () => pages[0].account.get(), 401, 'general_unauthorized_scope');
                assert.equal((await pages[1].account.get()).$id, hub.users.guest.userId);
                assert.equal((await pages[10].account.listSessions()).total, 10);
            } finally {
                pages.forEach((p) => p.close());
            }
        });
    });
}
