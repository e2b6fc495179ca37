// What Ory Kratos tells mirrorwatch of a registration, for the body of a `web_hook`:
//
//   selfservice: {flows: {registration: {after: {password: {hooks: [{
//     hook: web_hook,
//     config: {
//       url: "https://mirrorwatch.example.org/hooks/kratos",
//       method: POST,
//       body: "file:///etc/kratos/kratos.jsonnet",
//       response: {parse: true},                     // asks before the identity is kept; without it Kratos only tells
//       auth: {type: api_key, config: {in: header, name: Authorization, value: "Bearer SECRET"}},
//     },
//   }]}}}}}
//
// A list of hooks of one method (password, oidc, ...) replaces the general one: name the hook in each.
// The address of a person arrives only if the proxy before Kratos sets True-Client-Ip.
local header(ctx, name) =
  if std.objectHas(ctx, 'request_headers') && std.objectHas(ctx.request_headers, name) && std.length(ctx.request_headers[name]) > 0
  then ctx.request_headers[name][0] else null;
local optional(object, name) = if std.objectHas(object, name) then object[name] else null;
local isIn(text, path) = std.length(std.findSubstr(path, text)) > 0;

function(ctx) {
  schema: 'mirror.kratos.v1',
  identity_id: optional(ctx.identity, 'id'),
  traits: ctx.identity.traits,
  transient: optional(ctx.flow, 'transient_payload'),
  flow_id: ctx.flow.id,
  flow_type: if isIn(ctx.request_url, '/settings') then 'settings' else if isIn(ctx.request_url, '/login') then 'login' else 'registration',
  user_agent: header(ctx, 'User-Agent'),
  client_ip: header(ctx, 'True-Client-Ip'),
}
