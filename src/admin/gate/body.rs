//! Bodies of requests: memory grows with what came, not with what was promised.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use super::head::{HEADERS_LIMIT, Length, malformed};
use crate::{admin::http::Reply, metrics::BadInput};

/// The line before a chunk: its size in hexadecimal and perhaps an extension, which is ignored.
const CHUNK_LINE_LIMIT: u64 = 256;

/// What to say about a body that is larger than `limit` bytes.
pub(in crate::admin) fn too_large(limit: usize) -> Reply {
    let error = format!("the body is larger than {limit} bytes");
    Reply::error(413, error, "send a shorter recording, or raise admin.body_limit_bytes")
        .bad(BadInput::Size)
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(
    from: &mut (impl AsyncBufRead + Unpin),
    length: Length,
    limit: usize,
) -> Result<Vec<u8>, Reply> {
    let mut body = Vec::new();
    match length {
        Length::Exact(length) if length > limit => return Err(too_large(limit)),
        Length::Exact(length) => append(from, length, &mut body).await?,
        Length::Chunked => loop {
            let line = read_line(from).await?;
            let size = line.split(';').next().unwrap_or_default();
            let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !digits {
                return Err(malformed("a chunk does not begin with its size"));
            }
            let size = usize::from_str_radix(size, 16).unwrap_or(usize::MAX);
            if size > limit - body.len() {
                return Err(too_large(limit));
            }
            if size == 0 {
                for _ in 0..HEADERS_LIMIT {
                    if read_line(from).await?.is_empty() {
                        return Ok(body);
                    }
                }
                return Err(malformed("there are too many trailers"));
            }
            append(from, size, &mut body).await?;
            if !read_line(from).await?.is_empty() {
                return Err(malformed("a chunk is longer than its size"));
            }
        },
    }
    Ok(body)
}

async fn append(
    from: &mut (impl AsyncBufRead + Unpin),
    length: usize,
    to: &mut Vec<u8>,
) -> Result<(), Reply> {
    let came = from.take(length as u64).read_to_end(to).await.unwrap_or(0);
    if came == length { Ok(()) } else { Err(malformed("the body ends before its length")) }
}

/// A line without its end, which must be that of the standard: a proxy in front may see another.
async fn read_line(from: &mut (impl AsyncBufRead + Unpin)) -> Result<String, Reply> {
    let mut line = Vec::new();
    let _ = from.take(CHUNK_LINE_LIMIT).read_until(b'\n', &mut line).await;
    let text = String::from_utf8(line).ok();
    let text = text.as_deref().and_then(|line| line.strip_suffix("\r\n"));
    let text = text.ok_or_else(|| malformed("the body's chunks cannot be understood"))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(text: impl AsRef<[u8]>, length: Length, limit: usize) -> Result<Vec<u8>, u16> {
        let mut bytes = text.as_ref();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read(&mut bytes, length, limit)).map_err(|reply| reply.status)
    }

    #[test]
    fn bodies_are_read_within_their_limit() {
        assert_eq!(body("hello, more", Length::Exact(5), 5), Ok(b"hello".to_vec()));
        assert_eq!(body("hell", Length::Exact(5), 5), Err(400));
        assert_eq!(body("", Length::Exact(usize::MAX), 5), Err(413));
        let chunks = "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: z\r\n\r\n";
        assert_eq!(body(chunks, Length::Chunked, 5), Ok(b"abcde".to_vec()));
        assert_eq!(body(chunks, Length::Chunked, 4), Err(413));
        for broken in
            ["", "x\r\n", "3\r\nabcd\r\n", "3\r\nab", "-1\r\n", "0\r\n", "1\nx\r\n0\r\n\r\n"]
        {
            assert_eq!(body(broken, Length::Chunked, 9), Err(400), "{broken:?}");
        }
        assert_eq!(body("ffffffffffffffffff\r\n", Length::Chunked, 9), Err(413));
    }

    proptest! {
        #[test]
        fn hostile_bytes_stay_within_the_limit(text in "([0-9a-f]{0,3}(;[a-z]*)?\r?\n[a-z]{0,9}(\r\n)?){0,9}") {
            if let Ok(body) = body(&text, Length::Chunked, 20) {
                prop_assert!(body.len() <= 20);
            }
        }
    }
}
