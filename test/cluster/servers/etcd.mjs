// @ts-check
// etcd for tests: one member.
import { rmSync } from 'node:fs';
import http from 'node:http';
import { findProgram, freePort, Server } from './server.mjs';

const program = findProgram('etcd');

/** Why there is no etcd to test on this machine; undefined if there is one. */
export const whyNoEtcd = program === undefined ? 'there is no etcd' : undefined;

export class EtcdServer extends Server {
  port = 0;
  #peers = '';
  #name = 'one';
  /** All members, as etcd has them in its options. */
  #cluster = '';

  /**
   * Starts so many members of one cluster.
   * @param {number} count
   */
  static async startMembers(count) {
    const members = Array.from({ length: count }, () => new EtcdServer());
    for (const [i, member] of members.entries()) {
      member.#name = `member${i}`;
      await member.#choosePorts();
    }
    const all = members.map((member) => `${member.#name}=${member.#peers}`).join(',');
    for (const member of members) member.#cluster = all;
    return Promise.all(members.map((member) => member.start()));
  }

  async #choosePorts() {
    this.port = await freePort();
    this.#peers = `http://127.0.0.1:${await freePort()}`;
    this.#cluster = `${this.#name}=${this.#peers}`;
  }

  /**
   * Starts it; after end() again on the same port with the same data.
   * @param {string[]} options of etcd
   */
  async start(options = []) {
    if (this.port === 0) await this.#choosePorts();
    const clients = `http://127.0.0.1:${this.port}`;
    const args = ['--data-dir', `${this.directory}/data`, '--log-level', 'error'];
    args.push('--listen-client-urls', clients, '--advertise-client-urls', clients);
    args.push('--listen-peer-urls', this.#peers, '--initial-advertise-peer-urls', this.#peers);
    args.push('--name', this.#name, '--initial-cluster', this.#cluster, ...options);
    const command = { program: program ?? '', args, env: { ETCD_UNSUPPORTED_ARCH: process.arch } };
    await this.run(command, () => this.#isHealthy());
    return this;
  }

  get url() {
    return `etcd://127.0.0.1:${this.port}`;
  }

  /** Removes its data while it does not run. */
  async forget() {
    rmSync(`${this.directory}/data`, { recursive: true, force: true });
  }

  /**
   * Sends a request as an administrator would.
   * @param {string} path
   * @param {object} body
   * @returns {Promise<Record<string, unknown>>}
   */
  async call(path, body) {
    const url = `http://127.0.0.1:${this.port}/v3/${path}`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return /** @type {Record<string, unknown>} */ (await response.json());
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  async put(key, value) {
    const base64 = (/** @type {string} */ text) => Buffer.from(text).toString('base64');
    await this.call('kv/put', { key: base64(key), value: base64(value) });
  }

  /**
   * From now on only this user may do anything.
   * @param {string} name
   * @param {string} password
   */
  async enableAuth(name, password) {
    await this.call('auth/user/add', { name, password });
    await this.call('auth/role/add', { name: 'root' });
    await this.call('auth/user/grant', { user: name, role: 'root' });
    await this.call('auth/enable', {});
  }

  /** @returns {Promise<boolean>} */
  #isHealthy() {
    return new Promise((resolve) => {
      const request = http.get(`http://127.0.0.1:${this.port}/health`, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode === 200));
        response.on('error', () => resolve(false));
      });
      request.on('error', () => resolve(false));
    });
  }
}
