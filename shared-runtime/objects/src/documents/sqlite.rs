//! Documents in one SQLite file, held by one process.
//!
//! Knows: the schema, durability (WAL, `synchronous=FULL`), the exclusive lock. Must not know: what is in a document.
//!
//! Every change is one statement, so it is one transaction: a caller that goes away in the middle leaves nothing
//! half done. `AUTOINCREMENT` never gives a version twice, also after the newest row was deleted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::Mutex;

use super::{Document, Documents, DocumentsError, Put, check};

/// In the file's header: "YCDO".
const APPLICATION_ID: i64 = 0x5943_444f;
/// Of the schema.
const FORMAT: i64 = 1;
/// A process that has just ended may hold the lock for a moment.
const LOCK_WAIT: Duration = Duration::from_secs(2);

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS documents (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    crc32c INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (collection, key))";

/// Documents in one file. Reads and writes go one after the other: state is small, and changes are rare.
#[derive(Debug)]
pub struct SqliteDocuments {
    connection: Mutex<SqliteConnection>,
}

impl SqliteDocuments {
    /// Opens the file at `path`, or makes it, and locks it for this process.
    ///
    /// # Errors
    /// When another process holds it, or it is of another format, or the disk fails.
    pub fn open(path: &Path) -> BoxFuture<'_, Result<Self, DocumentsError>> {
        Box::pin(async move {
            let options = SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true)
                .locking_mode(SqliteLockingMode::Exclusive)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(LOCK_WAIT)
                .disable_statement_logging();
            let mut connection =
                SqliteConnection::connect_with(&options).await.map_err(|e| at_open(path, e))?;
            check_format(&mut connection, path).await?;
            Ok(Self { connection: Mutex::new(connection) })
        })
    }

    /// Closes the file and gives up the lock; without it both happen some time after the drop.
    ///
    /// # Errors
    /// When what is in the write-ahead log cannot be moved into the file; nothing is lost, the next open finds it.
    pub fn close(self) -> BoxFuture<'static, Result<(), DocumentsError>> {
        async move { self.connection.into_inner().close().await.map_err(medium) }.boxed()
    }
}

/// Makes the schema in an empty file; refuses another program's file and another format. Its write takes the lock.
async fn check_format(connection: &mut SqliteConnection, path: &Path) -> Result<(), DocumentsError> {
    let foreign = |reason: String| DocumentsError::Foreign { path: path.to_owned(), reason };
    let mut number = async |sql: &'static str| {
        let row = sqlx::query(sql).fetch_one(&mut *connection).await.map_err(|e| at_open(path, e))?;
        row.try_get::<i64, _>(0).map_err(|e| at_open(path, e))
    };
    let id = number("PRAGMA application_id").await?;
    let format = number("PRAGMA user_version").await?;
    let tables = number("SELECT count(*) FROM sqlite_schema").await?;
    match (id, format) {
        (APPLICATION_ID, FORMAT) | (0, 0) if tables == 0 || id == APPLICATION_ID => {}
        (APPLICATION_ID, _) => {
            return Err(foreign(format!("its format is {format}, this program reads {FORMAT}")));
        }
        _ => return Err(foreign(format!("it is another program's database (application id {id:#x})"))),
    }
    let marks: [&'static str; 3] = [SCHEMA, "PRAGMA application_id = 1497580623", "PRAGMA user_version = 1"];
    for sql in marks {
        sqlx::query(sql).execute(&mut *connection).await.map_err(|e| at_open(path, e))?;
    }
    Ok(())
}

fn at_open(path: &Path, error: sqlx::Error) -> DocumentsError {
    let path: PathBuf = path.to_owned();
    // SQLite's primary result codes are the low byte: 5 BUSY, 6 LOCKED, 11 CORRUPT, 26 NOTADB
    let code = error.as_database_error().and_then(|e| e.code()).and_then(|c| c.parse::<u32>().ok());
    match code.map(|c| c & 0xff) {
        Some(5 | 6) => DocumentsError::InUse { path },
        Some(11 | 26) => DocumentsError::Foreign { path, reason: error.to_string() },
        _ => medium(error),
    }
}

fn medium(error: sqlx::Error) -> DocumentsError {
    DocumentsError::Medium(Box::new(error))
}

/// Over names and content, with their lengths, so that no two documents share one.
fn checksum(collection: &str, key: &str, body: &[u8]) -> u32 {
    let mut sum = 0;
    for part in [collection.as_bytes(), key.as_bytes(), body] {
        sum = crc32c::crc32c_append(sum, &part.len().to_le_bytes());
        sum = crc32c::crc32c_append(sum, part);
    }
    sum
}

/// Version, checksum and body of a row, checked.
fn document(row: &SqliteRow, collection: &str, key: &str) -> Result<Document, DocumentsError> {
    let version = row.try_get::<i64, _>("version").map_err(medium)?;
    let expected = row.try_get::<i64, _>("crc32c").map_err(medium)?;
    let body = row.try_get::<Vec<u8>, _>("body").map_err(medium)?;
    let got = checksum(collection, key, &body);
    if i64::from(got) != expected {
        let (collection, key) = (collection.to_owned(), key.to_owned());
        let expected = u32::try_from(expected).unwrap_or_default();
        return Err(DocumentsError::Damaged { collection, key, got, expected });
    }
    Ok(Document { version: u64::try_from(version).unwrap_or_default(), body: body.into() })
}

impl Documents for SqliteDocuments {
    fn get<'a>(
        &'a self,
        collection: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Document>, DocumentsError>> {
        async move {
            let mut connection = self.connection.lock().await;
            let row =
                sqlx::query("SELECT version, crc32c, body FROM documents WHERE collection = ? AND key = ?")
                    .bind(collection)
                    .bind(key)
                    .fetch_optional(&mut *connection)
                    .await
                    .map_err(medium)?;
            row.map(|row| document(&row, collection, key)).transpose()
        }
        .boxed()
    }

    fn put_if_version<'a>(
        &'a self,
        collection: &'a str,
        key: &'a str,
        expect: u64,
        body: Option<Bytes>,
    ) -> BoxFuture<'a, Result<Put, DocumentsError>> {
        async move {
            check(key, body.as_ref())?;
            // a version beyond what SQLite counts was never given, so it matches nothing
            let Ok(version) = i64::try_from(expect) else { return Ok(Put::Conflict) };
            let mut connection = self.connection.lock().await;
            match body {
                None if version == 0 => Ok(absent(&mut connection, collection, key).await?),
                None => remove(&mut connection, collection, key, version).await,
                Some(body) => replace(&mut connection, collection, key, version, &body).await,
            }
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        collection: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(String, Document)>, DocumentsError>> {
        async move {
            let mut connection = self.connection.lock().await;
            let rows = sqlx::query(
                "SELECT key, version, crc32c, body FROM documents WHERE collection = ? AND key > ? ORDER BY key LIMIT ?",
            )
            .bind(collection)
            .bind(after)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await
            .map_err(medium)?;
            rows.iter()
                .map(|row| {
                    let key = row.try_get::<String, _>("key").map_err(medium)?;
                    let document = document(row, collection, &key)?;
                    Ok((key, document))
                })
                .collect()
        }
        .boxed()
    }
}

/// Removing what is not there changes nothing.
async fn absent(
    connection: &mut SqliteConnection,
    collection: &str,
    key: &str,
) -> Result<Put, DocumentsError> {
    let there = sqlx::query("SELECT 1 FROM documents WHERE collection = ? AND key = ?")
        .bind(collection)
        .bind(key)
        .fetch_optional(connection)
        .await
        .map_err(medium)?;
    Ok(if there.is_some() { Put::Conflict } else { Put::Done(0) })
}

async fn remove(
    connection: &mut SqliteConnection,
    collection: &str,
    key: &str,
    version: i64,
) -> Result<Put, DocumentsError> {
    let done = sqlx::query("DELETE FROM documents WHERE collection = ? AND key = ? AND version = ?")
        .bind(collection)
        .bind(key)
        .bind(version)
        .execute(connection)
        .await
        .map_err(medium)?;
    Ok(if done.rows_affected() == 1 { Put::Done(0) } else { Put::Conflict })
}

/// Inserts, or deletes the row of the expected version and inserts in one statement: the new row has a new version.
async fn replace(
    connection: &mut SqliteConnection,
    collection: &str,
    key: &str,
    version: i64,
    body: &Bytes,
) -> Result<Put, DocumentsError> {
    let sql = if version == 0 {
        "INSERT INTO documents (collection, key, crc32c, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (collection, key) DO NOTHING RETURNING version"
    } else {
        "INSERT OR REPLACE INTO documents (collection, key, crc32c, body) SELECT ?1, ?2, ?3, ?4
         WHERE EXISTS (SELECT 1 FROM documents WHERE collection = ?1 AND key = ?2 AND version = ?5) RETURNING version"
    };
    let mut query = sqlx::query(sql)
        .bind(collection)
        .bind(key)
        .bind(i64::from(checksum(collection, key, body)))
        .bind(body.as_ref());
    if version != 0 {
        query = query.bind(version);
    }
    let row = query.fetch_optional(connection).await.map_err(medium)?;
    let Some(row) = row else { return Ok(Put::Conflict) };
    let version = row.try_get::<i64, _>(0).map_err(medium)?;
    Ok(Put::Done(u64::try_from(version).unwrap_or_default()))
}
