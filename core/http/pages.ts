import { randomBytes } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import type { App } from './app.ts'

/**
 * The pages that exist before anybody is signed in: where to go, and the one-time link of an administrator. Plain HTML with one
 * small script; the token is in the fragment, which no server or log sees.
 */
export function welcomePages(app: App): void {
  const schema = { hide: true }
  app.get('/', { config: { public: true }, schema }, async (_request, reply) => page(reply, 'Werkvloer', home, ''))
  app.get('/welcome', { config: { public: true }, schema }, async (_request, reply) =>
    page(reply, 'Choose your password', welcome, welcomeScript)
  )
}

function page(reply: FastifyReply, title: string, body: string, script: string): FastifyReply {
  const nonce = randomBytes(16).toString('base64')
  return reply
    .header(
      'content-security-policy',
      `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`
    )
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><link rel="icon" href="data:,"><style nonce="${nonce}">${style}</style></head><body><main>${body}</main>${script === '' ? '' : `<script nonce="${nonce}">${script}</script>`}</body></html>`
    )
}

const style = `:root{color-scheme:light dark;--line:light-dark(#d5dbe1,#3a424b);--ink:light-dark(#17212b,#e8edf2);--soft:light-dark(#52606d,#a3afbb);--act:light-dark(#0b5cad,#6db3ff)}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:light-dark(#f5f7f9,#14191e)}
main{width:min(30rem,calc(100vw - 2rem));padding:2rem;border:1px solid var(--line);border-radius:12px;background:light-dark(#fff,#1b2128)}
h1{margin:0 0 .25rem;font-size:1.5rem}p{margin:.5rem 0;color:var(--soft)}a{color:var(--act)}ul{padding-left:1.2rem;color:var(--soft)}
label{display:block;margin:1rem 0 .25rem;font-weight:600}input{width:100%;min-height:48px;padding:.5rem .75rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--soft);border-radius:8px}
button{width:100%;min-height:48px;margin-top:1.25rem;font:inherit;font-weight:600;color:light-dark(#fff,#0d1116);background:var(--act);border:0;border-radius:8px;cursor:pointer}
button:disabled{opacity:.6;cursor:default}:focus-visible{outline:3px solid var(--act);outline-offset:2px}[role=status]{min-height:1.5rem;margin-top:1rem;font-weight:600;color:var(--ink)}`

const home = `<h1>Werkvloer</h1><p>Between the ERP and the shop floor: work orders come in, people work them, the feedback goes back once and in order.</p>
<ul><li><a href="/api/v1/openapi.json">API description</a> (OpenAPI 3.1)</li><li><a href="/health/ready">Health</a></li></ul>`

const welcome = `<h1>Choose your password</h1><p>This link opens your account. It works once.</p>
<form id="form"><label for="password">Password</label><input id="password" name="password" type="password" autocomplete="new-password" required minlength="8" maxlength="128" aria-describedby="hint">
<p id="hint">At least 8 characters; a sentence is best.</p><label for="again">The same again</label><input id="again" name="again" type="password" autocomplete="new-password" required maxlength="128">
<button id="send">Save</button><p id="status" role="status"></p></form>`

const welcomeScript = `const form=document.getElementById('form'),status=document.getElementById('status'),send=document.getElementById('send'),token=location.hash.slice(1);
const say=text=>{status.textContent=text};
if(!/^wv_invite_/.test(token)){say('This address has no valid link in it. Open the whole link you were given.');send.disabled=true}
form.addEventListener('submit',async event=>{event.preventDefault();
const password=document.getElementById('password').value;
if(password!==document.getElementById('again').value){say('The two passwords differ.');return}
send.disabled=true;say('Saving…');
try{const answer=await fetch('/api/v1/invitations/accept',{method:'POST',headers:{'content-type':'application/json'},body:JSON.stringify({token,password})});
if(answer.ok){history.replaceState(null,'',location.pathname);form.replaceChildren(status);say('Saved. You can sign in now.');return}
const problem=await answer.json().catch(()=>({}));say(problem.detail||'That did not work. Try again.')}
catch{say('The server does not answer. Nothing was saved; try again.')}
send.disabled=false});`
