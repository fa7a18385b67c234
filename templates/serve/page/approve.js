// The device signs the statement that the service made; the service holds it against the people.
const said = document.getElementById("said");
const form = document.getElementById("approve");

async function ask(path, given) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(given),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.said);
  return told;
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  said.textContent = "Your device asks you now.";
  try {
    const here = location.pathname;
    const key = document.getElementById("key").value;
    const asked = await ask(`${here}/statement`, { key, basis: form.dataset.basis });
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey);
    const credential = await navigator.credentials.get({ publicKey });
    const told = await ask(here, { token: asked.token, assertion: credential.toJSON() });
    said.textContent = told.said;
  } catch (error) {
    button.disabled = false;
    const why = {
      NotAllowedError: "your device did not say yes, or does not have this key.",
      SecurityError: `passkeys are kept for ${form.dataset.host}. Open this page there.`,
    };
    said.textContent = `Nothing was approved: ${why[error.name] ?? error.message}`;
  }
});
