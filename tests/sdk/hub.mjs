// A djamms-hub of its own for a test file: a data folder, a free port, ended by its pid.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const PROJECT = 'house';
export const DATABASE = 'main';
export const VENUE = 'venue-001';
export const PASSWORD = 'Correct-Horse-7';

const DEADLINE_MS = 30000;

function setting(name, what) {
    if (!process.env[name]) {
        throw new Error(`${name} must name ${what}`);
    }
    return process.env[name];
}

const program = join(setting('DJAMMS_BUILD', 'the build folder'), 'bin', 'djamms-hub');
// The packages that `install` has put there.
export const packages = createRequire(join(setting('DJAMMS_SDK', "the folder of the packages"), 'package.json'));

// The promise, or an error with `what` when the time is over.
export function within(promise, what, ms = DEADLINE_MS) {
    let timer;
    const over = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
    });
    return Promise.race([promise, over]).finally(() => clearTimeout(timer));
}

// One request as it is given: { status, headers, text }.
export function send(method, url, headers, body, agent) {
    return new Promise((resolve, reject) => {
        const bytes = body === undefined ? undefined : Buffer.from(body);
        const request = http.request(url, {
            method, agent, headers: { ...headers, ...(bytes ? { 'content-length': bytes.length } : {}) },
        }, (response) => {
            const parts = [];
            response.on('data', (part) => parts.push(part));
            response.on('error', reject);
            response.on('end', () => resolve({
                status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString('utf8'),
            }));
        });
        request.on('error', reject);
        request.end(bytes);
    });
}

// Runs `djamms-hub ...` to its end; what it printed as JSON.
async function admin(argv, input = '') {
    const child = spawn(program, [...argv, '--json'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (text) => { out += text; });
    child.stdin.end(input);
    const status = await within(new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', resolve);
    }), `djamms-hub ${argv[0]}`);
    if (status !== 0) {
        throw new Error(`djamms-hub ${argv.join(' ')}: ${status}: ${out}`);
    }
    return JSON.parse(out);
}

export class Hub {
    // users: { name: role }, made before the hub runs; their e-mail addresses are NAME@house.test. wrap: words before
    // its command.
    static async start({ users = {}, keys = [], options = [], wrap = [] } = {}) {
        const hub = new Hub();
        hub.data = await mkdtemp(join(tmpdir(), 'djamms-sdk-'));
        hub.keys = {};
        hub.users = {};
        const where = ['--data', hub.data, '--set', `hub.project=${PROJECT}`];
        try {
            for (const [name, role] of Object.entries(users)) {
                hub.users[name] = await admin(['user', 'add', `${name}@house.test`, '--role', role,
                    '--password-file', '-', ...where], `${PASSWORD}\n`);
            }
            for (const name of keys) {
                hub.keys[name] = (await admin(['key', 'add', name, ...where])).secret;
            }
            await hub.run(options, wrap);
        } catch (error) {
            await hub.stop().catch(() => {});
            throw error;
        }
        return hub;
    }

    async run(options, wrap) {
        const words = [...wrap, program, '--listen', '127.0.0.1:0', '--data', this.data, '--project', PROJECT,
            '--database', DATABASE, '--venue', VENUE, ...options];
        this.process = spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
        this.log = '';
        this.process.stderr.on('data', (text) => { this.log += text; });
        this.ended = new Promise((resolve) => this.process.on('close', resolve));
        const lines = createInterface({ input: this.process.stdout });
        const first = new Promise((resolve) => lines.once('line', resolve));
        const died = this.ended.then((status) => {
            throw new Error(`djamms-hub ended with ${status} before it was ready:\n${this.log}`);
        });
        died.catch(() => {});
        this.url = await within(Promise.race([first, died]), 'the hub says its URL');
        this.socketUrl = this.url.replace(/^http/, 'ws');
    }

    // Ends it; an error when it did not end as it should.
    async stop() {
        try {
            if (this.process) {
                this.process.kill('SIGTERM');
                const status = await within(this.ended, 'the hub ends').catch((error) => {
                    this.process.kill('SIGKILL');
                    throw error;
                });
                if (status !== 0) {
                    throw new Error(`djamms-hub ended with ${status ?? this.process.signalCode}:\n${this.log}`);
                }
            }
        } finally {
            await rm(this.data, { recursive: true, force: true });
        }
    }

    email(name) {
        return `${name}@house.test`;
    }

    // A bare request, without any SDK: { status, headers, text, json }.
    async request(method, path, { headers = {}, body, project = PROJECT } = {}) {
        const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
        const answer = await send(method, this.url + path, {
            ...(project === null ? {} : { 'x-appwrite-project': project }),
            ...(text === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
        }, text);
        return { ...answer, json: answer.text ? JSON.parse(answer.text) : null };
    }

    documents(collection, id = '') {
        return `/databases/${DATABASE}/collections/${collection}/documents${id && `/${id}`}`;
    }
}
