// What the device made is only shown: it counts once it stands in the project's file.
const said = document.getElementById("said");
const form = document.getElementById("make");
const table = document.getElementById("table");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = document.getElementById("name").value;
  said.textContent = "Your device asks you now.";
  try {
    const publicKey = {
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      rp: { id: form.dataset.host, name: "Runbooks" },
      user: { id: crypto.getRandomValues(new Uint8Array(32)), name, displayName: name },
      pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
      authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
      attestation: "none",
    };
    const credential = await navigator.credentials.create({ publicKey });
    const answer = await fetch(location.pathname, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, registration: credential.toJSON() }),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.said);
    table.textContent = told.table;
    table.hidden = false;
    said.textContent = "Made. Have this added to the project's file:";
  } catch (error) {
    const why = {
      NotAllowedError: "your device did not say yes.",
      SecurityError: `passkeys are kept for ${form.dataset.host}. Open this page there.`,
    };
    said.textContent = `None was made: ${why[error.name] ?? error.message}`;
  }
});
