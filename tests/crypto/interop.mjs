// One step of tests/crypto/test_interop.py: age-encryption (typage) under Node, standard input to standard output.
//   node interop.mjs keygen | recipient IDENTITY | encrypt RECIPIENT... | decrypt IDENTITY
import { webcrypto } from "node:crypto";
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Debian's Node 18 keeps it to itself.
globalThis.crypto ??= webcrypto;
const require = createRequire(process.env.MITHAQ_NODE_MODULES + "/");
const age = await import(pathToFileURL(require.resolve("age-encryption")));
const [step, ...given] = process.argv.slice(2);

function write(bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

if (step === "keygen") {
  write(Buffer.from(await age.generateHybridIdentity()));
} else if (step === "recipient") {
  write(Buffer.from(await age.identityToRecipient(given[0])));
} else if (step === "encrypt") {
  const one = new age.Encrypter();
  for (const recipient of given) one.addRecipient(recipient);
  write(await one.encrypt(readFileSync(0)));
} else if (step === "decrypt") {
  const one = new age.Decrypter();
  one.addIdentity(given[0]);
  write(await one.decrypt(readFileSync(0)));
} else {
  process.exit(2);
}
