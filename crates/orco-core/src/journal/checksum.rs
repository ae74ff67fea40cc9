//! CRC-32C (Castagnoli), eight bytes at a time.

/// The polynomial, bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut slice = 1;
    while slice < 8 {
        byte = 0;
        while byte < 256 {
            let before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        slice += 1;
    }
    tables
}

/// The checksum of what `before` is the checksum of, followed by these bytes. Begins with 0.
pub(super) fn extend(before: u32, bytes: &[u8]) -> u32 {
    // Spelled out rather than through a closure: tests read gigabytes without optimisation.
    let t = &TABLES;
    let mut crc = !before;
    let (words, rest) = bytes.as_chunks::<8>();
    for [a, b, c, d, e, f, g, h] in words {
        let low = crc ^ u32::from_le_bytes([*a, *b, *c, *d]);
        crc = t[7][(low & 0xff) as usize]
            ^ t[6][(low >> 8 & 0xff) as usize]
            ^ t[5][(low >> 16 & 0xff) as usize]
            ^ t[4][(low >> 24) as usize]
            ^ t[3][*e as usize]
            ^ t[2][*f as usize]
            ^ t[1][*g as usize]
            ^ t[0][*h as usize];
    }
    for byte in rest {
        crc = (crc >> 8) ^ t[0][((crc ^ *byte as u32) & 0xff) as usize];
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::extend;

    #[test]
    fn the_published_vectors() {
        // RFC 3720, B.4, and the usual check value.
        let up: Vec<u8> = (0..32).collect();
        assert_eq!(extend(0, b"123456789"), 0xe306_9283);
        assert_eq!(extend(0, &[0; 32]), 0x8a91_36aa);
        assert_eq!(extend(0, &[0xff; 32]), 0x62a8_ab43);
        assert_eq!(extend(0, &up), 0x46dd_794e);
        assert_eq!(extend(0, b""), 0);
    }

    #[test]
    fn parts_make_the_whole() {
        let bytes: Vec<u8> = (0..100).map(|i: u8| i.wrapping_mul(37)).collect();
        for at in 0..=bytes.len() {
            assert_eq!(extend(extend(0, &bytes[..at]), &bytes[at..]), extend(0, &bytes), "{at}");
        }
    }
}
