// Passkeys: asks the browser to make one (/account) or to use one (second step of a login).
"use strict";

const said = document.getElementById("passkey-said");

function tell(words) {
  said.textContent = words;
  said.hidden = false;
}

function why(error) {
  if (error.name === "NotAllowedError") return "The passkey was not shown, or not in time. Try again.";
  if (error.name === "InvalidStateError") return "This passkey is known already.";
  return `It did not work: ${error.message}`;
}

const use = document.getElementById("use-passkey");
if (use) {
  use.addEventListener("click", async () => {
    try {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(use.dataset.options));
      const shown = await navigator.credentials.get({ publicKey });
      document.getElementById("credential").value = JSON.stringify(shown.toJSON());
      document.getElementById("second").submit();
    } catch (error) {
      tell(why(error));
    }
  });
}

const add = document.getElementById("add-passkey");
if (add) {
  add.addEventListener("click", async () => {
    try {
      const answer = await fetch("/auth/me/second-factors/passkeys/options", { method: "POST" });
      const asked = await answer.json();
      if (!answer.ok) return tell(asked.detail);
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(asked.options));
      const made = await navigator.credentials.create({ publicKey });
      const form = document.getElementById("passkey");
      form.elements.challenge.value = asked.challenge;
      form.elements.credential.value = JSON.stringify(made.toJSON());
      form.submit();
    } catch (error) {
      tell(why(error));
    }
  });
}
