// Two users on one machine. Neither can reach the objects of the other, and neither can block the
// other.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { platform, privateMounts, temporaryDirectory } from '../support/index.js';
import {
  Neighbour,
  as,
  hasUsers,
  strangersSemaphore,
  plantSemaphore,
  alice,
  bob,
} from './neighbours.js';
import { semaphoreName } from '../programs/semaphore-name.mjs';

describe('surroundings', () => {
  describe('two users on one machine', () => {
    before(function () {
      if (!hasUsers) this.skip(); // needs root, setpriv, and a project that others can read
    });

    function directoryOf(user: number): string {
      const directory = temporaryDirectory();
      chownSync(directory, user, user);
      return directory;
    }

    it('neither can open, list, unlink, write to or remove an object of the other', async () => {
      const directory = directoryOf(alice);
      const ours = new Neighbour(directory, as(alice));
      assert.equal(await ours.ask('acquire Lock 1000'), 'held');
      const theirs = new Neighbour(directory, as(bob));
      for (const command of ['acquire Lock', 'open Queue', 'list']) {
        assert.match(await theirs.ask(command), /^PermissionError/);
      }
      const files = readdirSync(directory).map((name) => path.join(directory, name));
      assert.ok(files.length >= 3);
      const semaphore = `/dev/shm/sem.${semaphoreName(directory, 'Lock')}`;
      assert.ok(existsSync(semaphore));
      for (const file of [...files, semaphore]) {
        assert.match(await theirs.ask(`spoil ${file}`), /^(EACCES|EPERM) (EACCES|EPERM)$/);
      }
      await ours.ask('release Lock');
      assert.equal(await ours.ask('acquire Lock 0'), 'held', 'nobody has spoilt it');
    });

    it('the same name is another object', async () => {
      const [mine, its] = [directoryOf(alice), directoryOf(bob)];
      const ours = new Neighbour(mine, as(alice));
      const theirs = new Neighbour(its, as(bob));
      assert.equal(await ours.ask('acquire Lock 1000'), 'held');
      assert.equal(await theirs.ask('acquire Lock 1000'), 'held');
      // Even root may not use an object of another user.
      const strayed = new Neighbour(its);
      assert.match(await strayed.ask('acquire Lock'), /^PermissionError.*belongs to another user/);
      // The end of one process changes nothing for the other.
      await theirs.kill();
      assert.equal(await new Neighbour(mine, as(alice)).ask('acquire Lock 0'), 'busy');
    });

    // All semaphores of a machine share one space of names. The name of one follows from the user,
    // the directory and the name of the object, and all three can be guessed.
    const plants: [what: string, plant: (file: string) => void][] = [
      ['semaphore', plantSemaphore],
      ['file', (file) => writeFileSync(file, '')],
      ['directory', (file) => mkdirSync(file)],
      ['fifo', (file) => execFileSync('mkfifo', ['-m', '666', file])],
      ['link', (file) => symlinkSync('/dev/null', file)],
    ];

    it('a semaphore that the other has made under our name is not used: we take another name', async () => {
      const directory = directoryOf(alice);
      const one = new Neighbour(directory, as(alice));
      const two = new Neighbour(directory, as(alice));
      for (const [what, plant] of plants) {
        const planted = `/dev/shm/sem.${semaphoreName(directory, `Lock:${what}`)}`;
        plant(planted);
        lchownSync(planted, bob, bob);
        try {
          assert.equal(await one.ask(`acquire Lock:${what} 1000`), 'held', what);
          assert.equal(await two.ask(`acquire Lock:${what} 0`), 'busy');
          await one.ask(`release Lock:${what}`);
          assert.equal(await two.ask(`acquire Lock:${what} 1000`), 'held');
          const facts = lstatSync(planted);
          assert.equal(facts.uid, bob);
          if (what === 'semaphore') assert.ok(readFileSync(planted).equals(strangersSemaphore));
        } finally {
          rmSync(planted, { recursive: true, force: true });
        }
      }
    });

    it('nor is it used for a persistent object that has lost its own, as after a restart', async () => {
      const directory = directoryOf(alice);
      const name = `/dev/shm/sem.${semaphoreName(directory, 'Semaphore')}`;
      const first = new Neighbour(directory, as(alice));
      assert.equal(await first.ask('value Semaphore'), '3');
      await first.kill();
      rmSync(name, { force: true }); // whoever entered since then may have swept it
      plantSemaphore(name);
      lchownSync(name, bob, bob);
      try {
        const second = new Neighbour(directory, as(alice));
        assert.equal(await second.ask('value Semaphore'), '3');
        assert.equal(await second.ask('unlink Semaphore'), 'done');
        assert.ok(readFileSync(name).equals(strangersSemaphore));
      } finally {
        rmSync(name);
      }
    });

    const places: [title: string, plant: (place: string) => void, error: RegExp][] = [
      ['a directory of its own', (it) => mkdirSync(it, { mode: 0o700 }), /EACCES/],
      ['a directory that all may enter', (it) => (mkdirSync(it), chmodSync(it, 0o777)), /another/],
      ['a link to its own', (it) => symlinkSync(directoryOf(bob), it), /symbolic link/],
      ['a link to one of ours', (it) => symlinkSync(directoryOf(alice), it), /symbolic link/],
      ['a file', (it) => writeFileSync(it, ''), /not a directory/],
      ['a FIFO', (it) => execFileSync('mkfifo', ['-m', '666', it]), /not a directory/],
    ];
    for (const [title, plant, error] of places) {
      it(`the other has put ${title} in the default place: PermissionError`, async function () {
        if (platform !== 'linux') this.skip(); // elsewhere it is in the user's home
        const mounts = privateMounts();
        if (mounts === undefined) this.skip(); // needs a mount namespace
        const shm = temporaryDirectory();
        chmodSync(shm, 0o1777);
        const place = path.join(shm, `holdfast-${alice}`);
        plant(place);
        lchownSync(place, bob, bob);
        const ours = new Neighbour(undefined, [
          ...mounts(`mount --bind "${shm}" /dev/shm`),
          ...as(alice),
        ]);
        const answer = await ours.ask('acquire Lock');
        assert.match(answer, /^PermissionError/);
        assert.match(answer, error);
      });
    }
  });
});
