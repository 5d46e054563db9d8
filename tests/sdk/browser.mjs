// What the web SDKs expect of a browser, kept as strict as one: each page runs the bundle that pages load, with a window
// and localStorage of its own; requests to another origin are preflighted and their answers withheld unless
// the server allows them; only headers that are exposed are seen; cookies do not go to another site.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import vm from 'node:vm';
import { PROJECT, packages, send, within } from './hub.mjs';

const WebSocket = packages('ws');
export const VERSIONS = [11, 18, 24, 28];
const ORIGIN = 'http://jukebox.localhost:3000';
const SIMPLE_HEADERS = new Set(['accept', 'accept-language', 'content-language', 'content-type']);
const SIMPLE_TYPES = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']);
const SIMPLE_METHODS = new Set(['GET', 'HEAD', 'POST']);
const SEEN_HEADERS = new Set(['cache-control', 'content-language', 'content-length', 'content-type', 'expires',
    'last-modified', 'pragma']);

function lower(headers) {
    return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function list(text) {
    return (text ?? '').split(',').map((word) => word.trim().toLowerCase()).filter(Boolean);
}

// What must be allowed by name; empty and a simple method: no preflight.
function unusual(headers) {
    return Object.keys(headers).filter((name) => !SIMPLE_HEADERS.has(name) ||
        (name === 'content-type' && !SIMPLE_TYPES.has(headers[name].split(';')[0]))).sort();
}

// Fetch of a page on `origin`, always with credentials.
class Fetcher {
    constructor(origin) {
        this.origin = origin;
        this.agent = new http.Agent({ keepAlive: true });
        this.allowed = new Set();
    }

    check(headers, what) {
        if (headers['access-control-allow-origin'] !== this.origin ||
            headers['access-control-allow-credentials'] !== 'true') {
            throw new TypeError(`CORS: ${what} is not allowed for ${this.origin}: ` + JSON.stringify(headers));
        }
    }

    async preflight(method, url, names) {
        const key = JSON.stringify([method, url.split('?')[0], names]);
        if (this.allowed.has(key)) {
            return;
        }
        const { status, headers } = await send('OPTIONS', url, {
            origin: this.origin, 'access-control-request-method': method,
            ...(names.length ? { 'access-control-request-headers': names.join(',') } : {}),
        }, undefined, this.agent);
        this.check(headers, 'the preflight');
        const allowed = list(headers['access-control-allow-headers']);
        const missing = names.filter((name) => !allowed.includes(name));
        const methods = list(headers['access-control-allow-methods']);
        if (status < 200 || status > 299 || missing.length ||
            !(SIMPLE_METHODS.has(method) || methods.includes(method.toLowerCase()))) {
            throw new TypeError(`CORS: ${method} with ${names}: ${status}, refused: ${missing}, methods: ${methods}`);
        }
        this.allowed.add(key);
    }

    async fetch(url, options = {}) {
        const method = (options.method ?? 'GET').toUpperCase();
        const headers = lower(options.headers ?? {});
        const names = unusual(headers);
        if (names.length || !SIMPLE_METHODS.has(method)) {
            await this.preflight(method, url, names);
        }
        const answer = await send(method, url, { ...headers, origin: this.origin }, options.body, this.agent);
        this.check(answer.headers, `the answer to ${method} ${url}`);
        const exposed = new Set(list(answer.headers['access-control-expose-headers']));
        const seen = Object.entries(answer.headers).filter(([name]) =>
            name !== 'set-cookie' && (SEEN_HEADERS.has(name) || exposed.has(name)));
        const hasBody = ![204, 205, 304].includes(answer.status);
        return new Response(hasBody ? answer.text : null, { status: answer.status, headers: Object.fromEntries(seen) });
    }
}

class Storage {
    #items = new Map();
    getItem(name) { return this.#items.get(String(name)) ?? null; }
    setItem(name, value) { this.#items.set(String(name), String(value)); }
    removeItem(name) { this.#items.delete(String(name)); }
}

// The sockets of a page and all that came over them, in order.
function socketClass(page) {
    return class extends WebSocket {
        constructor(url, protocols, headers = { origin: page.origin }) {
            if (page.isClosed) {
                throw new Error('the page is closed');
            }
            super(url, protocols, { headers });
            this.frames = [];
            this.asked = 0;          // messages that subscribe
            page.sockets.push(this);
            this.addEventListener('message', ({ data }) => {
                this.frames.push(JSON.parse(data));
                page.changed();
            });
            for (const name of ['open', 'close']) {
                this.addEventListener(name, (event) => {
                    this.endedWith = name === 'close' ? event.code : undefined;
                    page.changed();
                });
            }
            this.addEventListener('error', () => page.changed());
        }

        send(text) {
            this.asked += JSON.parse(text).type === 'subscribe';
            super.send(text);
        }
    };
}

const bundles = new Map();

// The bundle that <script src> loads, run with this window; the names it uses of it are what `window` has.
function load(version, window) {
    if (!bundles.has(version)) {
        const file = join(dirname(packages.resolve(`appwrite-${version}/package.json`)), 'dist', 'iife', 'sdk.js');
        bundles.set(version, vm.compileFunction(readFileSync(file, 'utf8'), Object.keys(window), { filename: file }));
    }
    bundles.get(version).apply(window, Object.values(window));
    return window.Appwrite;
}

// One page in one browser, with the SDK of that version loaded and a client set up for the hub.
export class Page {
    constructor(hub, version, { origin = ORIGIN } = {}) {
        this.hub = hub;
        this.version = version;
        this.origin = origin;
        this.sockets = [];
        this.said = [];          // on the console: [level, text]
        this.intervals = new Map();
        this.timeouts = new Set();
        this.waiting = new Set();
        this.fetcher = new Fetcher(origin);
        this.window = this.makeWindow();
        this.sdk = load(version, this.window);
        this.client = new this.sdk.Client().setEndpoint(hub.url).setProject(PROJECT);
        this.databases = new this.sdk.Databases(this.client);
        this.account = new this.sdk.Account(this.client);
        this.functions = new this.sdk.Functions(this.client);
        if (this.sdk.TablesDB) {
            this.tables = new this.sdk.TablesDB(this.client);
        }
    }

    makeWindow() {
        const say = (level) => (...words) => this.said.push([level, words.map(
            (word) => typeof word === 'string' ? word : inspect(word)).join(' ')]);
        const window = {
            console: Object.fromEntries(['log', 'warn', 'error', 'info', 'debug'].map((l) => [l, say(l)])),
            localStorage: new Storage(),
            location: new URL(this.origin),
            navigator: { userAgent: 'test' },
            WebSocket: socketClass(this),
            fetch: (url, options) => this.fetcher.fetch(String(url), options),
            setTimeout: (call, ms) => {
                if (this.isClosed) {
                    return undefined;
                }
                const timer = setTimeout(() => { this.timeouts.delete(timer); call(); }, ms);
                this.timeouts.add(timer);
                return timer;
            },
            clearTimeout: (timer) => { clearTimeout(timer); clearInterval(timer); this.intervals.delete(timer); },
            setInterval: (call, ms) => {
                if (this.isClosed) {
                    return undefined;
                }
                const timer = setInterval(call, ms);
                this.intervals.set(timer, call);
                return timer;
            },
            clearInterval: (timer) => { clearInterval(timer); this.intervals.delete(timer); },
            File: globalThis.File ?? class File {},
        };
        window.window = window;
        return window;
    }

    // ---- accounts

    signIn(email, password) {
        const name = this.account.createEmailPasswordSession ? 'createEmailPasswordSession' : 'createEmailSession';
        return this.account[name](email, password);
    }

    // ---- waiting

    changed() {
        for (const look of this.waiting) {
            look();
        }
    }

    // The first true value of condition(), asked again whenever something came over a socket.
    until(condition, what) {
        return within(new Promise((resolve, reject) => {
            const look = () => {
                try {
                    const value = condition();
                    if (value) {
                        this.waiting.delete(look);
                        resolve(value);
                    }
                } catch (error) {
                    this.waiting.delete(look);
                    reject(error);
                }
            };
            this.waiting.add(look);
            look();
        }), what).catch((error) => {
            throw new Error(`${error.message}; appwrite ${this.version} said ${JSON.stringify(this.said)}, came: ` +
                JSON.stringify(this.sockets.map((s) => s.frames)), { cause: error });
        });
    }

    get socket() {
        return this.sockets.at(-1);
    }

    // A socket like those of programs, with headers and without an Origin.
    dial(url, headers) {
        return new this.window.WebSocket(url, [], headers);
    }

    frame(test, what) {
        return this.until(() => this.socket?.frames.find(test), what);
    }

    // What is listened to on the newest socket: by its URL, or by messages.
    heard() {
        const channels = new Set();
        for (const { type, data } of this.socket?.frames ?? []) {
            if (type === 'connected') {
                data.channels.forEach((channel) => channels.add(channel));
            } else if (type === 'response' && data.to === 'subscribe') {
                data.subscriptions.forEach((s) => s.channels.forEach((channel) => channels.add(channel)));
            }
        }
        return channels;
    }

    // Whether every message that subscribes was answered: two may name the same channel.
    answered() {
        const answers = this.socket.frames.filter(({ type, data }) => type === 'response' && data.to === 'subscribe');
        return answers.length >= this.socket.asked;
    }

    // Until the hub has told that it sends these channels, and knows who is here.
    async listens(...channels) {
        await this.until(() => this.socket?.readyState === WebSocket.OPEN && this.answered() &&
            channels.every((channel) => this.heard().has(channel)), `it listens to ${channels}`);
        if (this.window.localStorage.getItem('cookieFallback')) {
            await this.frame(({ type, data }) => type === 'response' && data.to === 'authentication', 'who is here');
        }
    }

    // Makes the SDK's heartbeat due now.
    beat() {
        const calls = [...this.intervals.values()];
        calls.forEach((call) => call());
        return calls.length;
    }

    errors() {
        return this.said.filter(([level]) => level === 'error');
    }

    // Nothing runs in it any more, also not what its SDK does when a connection is lost.
    close() {
        this.isClosed = true;
        this.timeouts.forEach(clearTimeout);
        this.intervals.forEach((_, timer) => clearInterval(timer));
        this.sockets.forEach((socket) => socket.terminate());
        this.fetcher.agent.destroy();
    }
}

// Without the methods and prototypes that SDKs give to answers.
export function plain(value) {
    return JSON.parse(JSON.stringify(value));
}

// `call` must throw the SDK's own exception with that code and type.
export async function refused(page, call, code, type, what = String(call)) {
    let error;
    try {
        await call();
    } catch (thrown) {
        error = thrown;
    }
    assert.ok(error, `${what}: nothing was refused`);
    assert.ok(error instanceof page.sdk.AppwriteException, `${what}: ${error.stack}`);
    assert.deepEqual([error.code, error.type], [code, type], `${what}: ${error.message}`);
    assert.ok(error.message.length > 5, `${what}: a sentence says why`);
    const body = typeof error.response === 'string' ? JSON.parse(error.response) : error.response;
    assert.deepEqual([body.code, body.type, typeof body.version], [code, type, 'string'], what);
}
