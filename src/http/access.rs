//! Who calls, and which calls are theirs. Decided on the head of a request, before anything else is read.

use super::dashboard::is_at_the_machine;
use super::error::{ErrorCode, Failure};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use floodgate_persistence::model::SellerId;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Credential id of everyone who shops without a key of their own.
pub(super) const OPEN: &str = "open";
/// Credential id of whoever holds the admin token.
pub(super) const ADMIN: &str = "admin";

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The shop API.
    Shop,
    /// This seller's part of the orders.
    Seller(SellerId),
    /// Everything.
    Admin,
}

/// A key that the server knows: never the secret, only its hash.
#[derive(Clone)]
pub struct AccessKey {
    /// Name, and scope of idempotency keys.
    pub id: Arc<str>,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// What it may do.
    pub scope: Scope,
}

/// All credentials.
#[derive(Clone)]
pub struct Access {
    keys: Vec<AccessKey>,
    /// The shop API asks for no key, because there is none.
    shop_is_open: bool,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Somebody without a credential.
    Nobody,
    /// A shop, by its key's id.
    Shop(Arc<str>),
    /// A seller, by its key's id.
    Seller(Arc<str>, SellerId),
    /// An operator, by the key's id.
    Admin(Arc<str>),
}

/// Whose a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Everybody's, or it brings a proof of its own.
    Anyone,
    /// The shop's and the operator's.
    Shop,
    /// A seller's too, who sees and moves only their own part.
    ShopAndSeller,
    /// The operator's only.
    Admin,
    /// The operator's, and that of whoever sits at the machine and only looks.
    Onlooker,
}

impl Access {
    /// The operator's token, by its SHA-256, and the keys. Without any key the shop API is open.
    pub fn new(admin_token: [u8; 32], keys: Vec<AccessKey>) -> Self {
        let shop_is_open = keys.is_empty();
        let token = AccessKey { id: ADMIN.into(), hash: admin_token, scope: Scope::Admin };
        Self { keys: keys.into_iter().chain([token]).collect(), shop_is_open }
    }

    /// Who sent this head, if they may make a call of this audience. A credential that nobody gave out is refused also
    /// where none is asked for: whoever sends one means it.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
        audience: Audience,
    ) -> Result<Caller, Failure> {
        if audience == Audience::Anyone {
            return Ok(Caller::Nobody);
        }
        let caller = self.identify(headers)?;
        match (audience, &caller) {
            (_, Caller::Admin(_))
            | (Audience::Shop | Audience::ShopAndSeller, Caller::Shop(_))
            | (Audience::ShopAndSeller, Caller::Seller(..)) => Ok(caller),
            (Audience::Shop | Audience::ShopAndSeller, Caller::Nobody) if self.shop_is_open => Ok(caller),
            (Audience::Onlooker, Caller::Nobody) if is_at_the_machine(peer, headers) => Ok(caller),
            (Audience::Admin | Audience::Onlooker, Caller::Nobody) => {
                Err(unauthorized("send Authorization: Bearer <admin token>"))
            }
            (_, Caller::Nobody) => Err(unauthorized("send Authorization: Bearer <key>")),
            _ => Err(Failure::new(ErrorCode::Forbidden, "this key's scope does not cover this call")),
        }
    }

    /// Who sent this head, whatever they may do.
    pub(super) fn identify(&self, headers: &HeaderMap) -> Result<Caller, Failure> {
        let Some(credential) = headers.get(header::AUTHORIZATION) else { return Ok(Caller::Nobody) };
        let wrong = || unauthorized("the credential is not one of this engine's");
        let (scheme, secret) = credential.as_bytes().split_at_checked(b"Bearer ".len()).ok_or_else(wrong)?;
        if !scheme.eq_ignore_ascii_case(b"Bearer ") {
            return Err(wrong());
        }
        let key = self.key_of(secret.trim_ascii()).ok_or_else(wrong)?;
        let id = Arc::clone(&key.id);
        Ok(match key.scope {
            Scope::Shop => Caller::Shop(id),
            Scope::Seller(seller) => Caller::Seller(id, seller),
            Scope::Admin => Caller::Admin(id),
        })
    }

    /// Hashes are compared, not secrets, and all of them each time, so that time says nothing about either.
    fn key_of(&self, secret: &[u8]) -> Option<&AccessKey> {
        let hash = Sha256::digest(secret);
        let mut found = None;
        for key in &self.keys {
            if bool::from(hash.as_slice().ct_eq(&key.hash)) {
                found = Some(key);
            }
        }
        found
    }
}

/// Without hashes: they are nobody's business in a log.
impl std::fmt::Debug for Access {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Access").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

fn unauthorized(detail: &'static str) -> Failure {
    Failure::new(ErrorCode::Unauthorized, detail)
}

impl Caller {
    /// Who sent the request: what the door wrote on it.
    pub(super) fn of(parts: &Parts) -> Self {
        Self::in_extensions(&parts.extensions)
    }

    /// [`of`](Self::of), for handlers that get the extensions only.
    pub(super) fn in_extensions(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or(Self::Nobody)
    }

    /// Writes it on a request. Nobody needs no mark, which spares the busiest path an allocation.
    pub(super) fn mark(self, extensions: &mut Extensions) {
        if self != Self::Nobody {
            extensions.insert(self);
        }
    }

    /// The id of the caller's key, if they have one.
    pub(super) const fn key_id(&self) -> Option<&Arc<str>> {
        match self {
            Self::Nobody => None,
            Self::Shop(id) | Self::Seller(id, _) | Self::Admin(id) => Some(id),
        }
    }

    /// What idempotency keys are scoped to: the id of the credential, so that a rotated secret changes nothing.
    pub(super) fn credential(&self) -> &str {
        self.key_id().map_or(OPEN, |id| id)
    }

    /// The seller whose part of the orders is all that the caller may see; `None`: all of them.
    pub(super) const fn only_seller(&self) -> Option<SellerId> {
        match self {
            Self::Seller(_, seller) => Some(*seller),
            Self::Nobody | Self::Shop(_) | Self::Admin(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, scope: Scope) -> AccessKey {
        AccessKey { id: id.into(), hash: Sha256::digest(format!("secret of {id}")).into(), scope }
    }

    fn headers(credential: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if !credential.is_empty() {
            headers.insert(header::AUTHORIZATION, credential.parse().expect("a header"));
        }
        headers
    }

    /// One row a credential; 0: let in, with the id that idempotency keys are scoped to.
    #[test]
    fn each_credential_opens_its_own_doors() {
        use Audience::{Admin, Anyone, Onlooker, Shop, ShopAndSeller};
        let peer = [192, 0, 2, 7].into();
        let token = Sha256::digest("token").into();
        let keys =
            vec![key("web", Scope::Shop), key("s-3", Scope::Seller(SellerId(3))), key("ops", Scope::Admin)];
        let (closed, open) = (Access::new(token, keys), Access::new(token, Vec::new()));
        let audiences = [Anyone, Shop, ShopAndSeller, Admin, Onlooker];
        for (access, credential, id, codes) in [
            (&closed, "", "open", [0, 401, 401, 401, 401]),
            (&closed, "Bearer secret of web", "web", [0, 0, 0, 403, 403]),
            (&closed, "bearer  secret of web ", "web", [0, 0, 0, 403, 403]),
            (&closed, "Bearer secret of s-3", "s-3", [0, 403, 0, 403, 403]),
            (&closed, "Bearer secret of ops", "ops", [0, 0, 0, 0, 0]),
            (&closed, "Bearer token", "admin", [0, 0, 0, 0, 0]),
            (&closed, "Bearer secret of nobody", "", [0, 401, 401, 401, 401]),
            (&closed, "Basic secret of web", "", [0, 401, 401, 401, 401]),
            (&closed, "Bearer", "", [0, 401, 401, 401, 401]),
            (&open, "", "open", [0, 0, 0, 401, 401]),
            (&open, "Bearer token", "admin", [0, 0, 0, 0, 0]),
            (&open, "Bearer secret of web", "", [0, 401, 401, 401, 401]),
        ] {
            for (audience, code) in audiences.into_iter().zip(codes) {
                match access.admit(&headers(credential), peer, audience) {
                    Ok(caller) => {
                        assert_eq!(code, 0, "{credential} {audience:?}");
                        let expected = if audience == Anyone { OPEN } else { id };
                        assert_eq!(caller.credential(), expected, "{credential} {audience:?}");
                    }
                    Err(failure) => {
                        assert_eq!(failure.code().status().as_u16(), code, "{credential} {audience:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn whoever_sits_at_the_machine_may_look_but_not_with_a_wrong_credential() {
        let access = Access::new([0; 32], vec![key("web", Scope::Shop)]);
        for (credential, peer, code) in [
            ("", [127, 0, 0, 1], 0),
            ("", [192, 0, 2, 7], 401),
            ("Bearer secret of nobody", [127, 0, 0, 1], 401),
            ("Bearer secret of web", [127, 0, 0, 1], 403),
        ] {
            let mut headers = headers(credential);
            headers.insert(header::HOST, "localhost:8080".parse().expect("a header"));
            let admitted = access.admit(&headers, peer.into(), Audience::Onlooker);
            let found = admitted.map_or_else(|failure| failure.code().status().as_u16(), |_| 0);
            assert_eq!(found, code, "{credential} {peer:?}");
        }
    }
}
