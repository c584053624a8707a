//! Mails as files, for shops without a mail server: one `.eml` per mail, which any mail program opens.

use std::{io, path::Path};
use tokio::{fs, io::AsyncWriteExt};

/// Whole or not at all: written beside and renamed. Only the shop's own user may read it.
pub(crate) async fn write(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder).await?;
    let unfinished = folder.join(format!(".{name}.part"));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished).await?;
    file.write_all(content).await?;
    file.sync_all().await?;
    fs::rename(&unfinished, folder.join(name)).await
}
