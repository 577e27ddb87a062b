// Passkeys: a form marked `data-passkey` is sent once the device has answered what the page asks of it.
"use strict";

const form = document.querySelector("form[data-passkey]");

function say(what) {
  for (const each of form.querySelectorAll("[role=alert]")) each.hidden = !(what && each.matches(`[data-passkey-${what}]`));
}

async function answer() {
  const asked = JSON.parse(form.dataset.passkey).publicKey;
  if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) return say("missing");
  try {
    const credential = "rp" in asked
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch (problem) {
    say(problem.name === "SecurityError" ? "missing" : "failed");
  }
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  say("");
  answer();
});
