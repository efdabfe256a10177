//! What a panel tells about itself (EDID).

/// The first bytes of every EDID (VESA E-EDID 1.4, section 3.3).
const HEADER: [u8; 8] = [0, 255, 255, 255, 255, 255, 255, 0];

/// The panel's name: the one that it gives itself, or its maker's three letters and its number; `None`
/// where that is no EDID.
pub(super) fn name(edid: &[u8]) -> Option<String> {
    let edid = edid.get(..128)?;
    if edid[..8] != HEADER {
        return None;
    }
    // Four descriptors of 18 bytes; one of the type 0xfc holds the name (section 3.10.3).
    let named = edid[54..126].chunks_exact(18).find(|part| part[..5] == [0, 0, 0, 0xfc, 0]);
    if let Some(part) = named {
        let text = part[5..].split(|&byte| byte == b'\n').next().unwrap_or_default();
        let text: String =
            text.iter().map(|&byte| char::from(byte)).filter(|c| (' '..='~').contains(c)).collect();
        if !text.trim().is_empty() {
            return Some(text.trim().to_owned());
        }
    }
    // Three letters of five bits each, 1 for A (section 3.4.1).
    let maker = u16::from_be_bytes([edid[8], edid[9]]);
    let letters = [10, 5, 0].map(|shift| char::from(b'@' + (maker >> shift & 31) as u8));
    let number = u16::from_le_bytes([edid[10], edid[11]]);
    Some(format!("{}{}{} {number:04x}", letters[0], letters[1], letters[2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edid(descriptor: &[u8]) -> Vec<u8> {
        let mut edid = vec![0; 128];
        edid[..8].copy_from_slice(&HEADER);
        // "DEL", 0xa0c4
        edid[8..12].copy_from_slice(&[0x10, 0xac, 0xc4, 0xa0]);
        edid[72..72 + descriptor.len()].copy_from_slice(descriptor);
        edid
    }

    #[test]
    fn a_panel_is_called_what_it_calls_itself() {
        assert_eq!(name(&edid(b"\0\0\0\xfc\0DELL U2412M\n ")).as_deref(), Some("DELL U2412M"));
        assert_eq!(name(&edid(b"\0\0\0\xfc\0\x07\xff\n")).as_deref(), Some("DEL a0c4"));
        assert_eq!(name(&edid(b"")).as_deref(), Some("DEL a0c4"));
    }

    #[test]
    fn garbage_has_no_name() {
        assert_eq!(name(&[]), None);
        assert_eq!(name(&[0; 128]), None);
        assert_eq!(name(&edid(b"")[..100]), None);
    }
}
