//! Password hashes: argon2id on a bounded pool, the same work for everybody.
//!
//! Knows: argon2 and its cost. Must not know: whose password it is. Start at [`Hasher`].

use argon2::{Algorithm, Argon2, Params, Version};
use futures_util::future::BoxFuture;
use runtime_service::{Pool, Secret, Status};
use serde::{Deserialize, Serialize};

use crate::digest::{random, same};
use crate::state::StateError;

/// OWASP Password Storage Cheat Sheet, second choice of argon2id: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// Callers that wait for a worker; more are refused for the moment.
const WAITING_MAX: usize = 64;

/// A hash with what is needed to compute it again, so that the cost may grow later.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PasswordHash {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(<redacted>)")
    }
}

/// Computes hashes, a few at a time.
#[derive(Debug, Clone)]
pub(crate) struct Hasher {
    pool: Pool,
    /// Nobody's password, for names that do not exist.
    nobody: PasswordHash,
}

impl Hasher {
    /// At most `workers` hashes at once.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn new(workers: usize) -> Result<Self, StateError> {
        let (salt, hash) = (random()?, random()?);
        let nobody = PasswordHash { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt, hash };
        Ok(Self { pool: Pool::new("password checks", workers, WAITING_MAX), nobody })
    }

    /// A new hash of `password`.
    pub(crate) fn hash(
        &self,
        password: Secret,
    ) -> BoxFuture<'static, Result<Result<PasswordHash, StateError>, Status>> {
        self.pool.run(move || {
            let salt = random()?;
            let mut fresh = PasswordHash {
                memory_kib: MEMORY_KIB,
                passes: PASSES,
                lanes: LANES,
                salt,
                hash: [0; HASH_BYTES],
            };
            fresh.hash = compute(&fresh, &password).map_err(|e| StateError::Making(e.to_string()))?;
            Ok(fresh)
        })
    }

    /// Whether `password` is the one that was hashed; without a hash the same work is done for nothing.
    pub(crate) fn verify(
        &self,
        hash: Option<PasswordHash>,
        password: Secret,
    ) -> BoxFuture<'static, Result<bool, Status>> {
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        self.pool.run(move || match compute(&hash, &password) {
            Ok(computed) => same(&computed, &hash.hash) && exists,
            Err(error) => {
                tracing::error!(%error, "a stored password hash cannot be computed");
                false
            }
        })
    }
}

fn compute(of: &PasswordHash, password: &Secret) -> Result<[u8; HASH_BYTES], argon2::Error> {
    let params = Params::new(of.memory_kib, of.passes, of.lanes, Some(HASH_BYTES))?;
    let mut out = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
        password.reveal().as_bytes(),
        &of.salt,
        &mut out,
    )?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_opens_and_nobody_has_none() {
        let hasher = Hasher::new(1).unwrap();
        let hash = hasher.hash(Secret::new("correct horse")).await.unwrap().unwrap();
        let again = hasher.hash(Secret::new("correct horse")).await.unwrap().unwrap();
        assert_ne!(hash, again, "two hashes of one password differ by their salts");
        let verify = async |hash: Option<&PasswordHash>, password: &str| {
            hasher.verify(hash.cloned(), Secret::new(password)).await.unwrap()
        };
        assert!(verify(Some(&hash), "correct horse").await);
        assert!(!verify(Some(&hash), "correct horsf").await);
        assert!(!verify(Some(&hash), "").await);
        assert!(!verify(None, "correct horse").await);
        let written = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<PasswordHash>(&written).unwrap(), hash);
        assert!(!format!("{hash:?}").contains(&hash.hash[0].to_string()));
    }

    #[test]
    fn hashes_are_argon2id_as_others_compute_it() {
        // argon2-cffi 25.1: hash_secret_raw(b"password", b"saltsaltsaltsalt", 2, 19456, 1, 32, Type.ID)
        let of = PasswordHash {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: *b"saltsaltsaltsalt",
            hash: [0; HASH_BYTES],
        };
        let hex: String =
            compute(&of, &Secret::new("password")).unwrap().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "4fde6aed2db4e6d7fd588e078583990c842630c01b9ed69c1974c892ed205d3f");
    }
}
