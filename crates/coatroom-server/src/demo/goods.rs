//! What the shop sells.

/// One kind of thing on offer.
#[derive(Debug)]
pub(crate) struct Good {
    /// The name in forms and carts.
    pub(crate) sku: &'static str,
    pub(crate) name: &'static str,
    pub(crate) note: &'static str,
    /// Whole euros.
    pub(crate) price: u64,
    /// The class that colours its picture.
    pub(crate) tone: &'static str,
    /// A drawing of our own, coloured by the stylesheet.
    pub(crate) picture: &'static str,
}

/// The good of this name.
pub(crate) fn find(sku: &str) -> Option<&'static Good> {
    GOODS.iter().find(|good| good.sku == sku)
}

pub(crate) static GOODS: &[Good] = &[
    Good {
        sku: "overcoat",
        name: "Harbour overcoat",
        note: "Boiled wool, horn buttons",
        price: 320,
        tone: "pine",
        picture: include_str!("../../assets/goods/overcoat.svg"),
    },
    Good {
        sku: "raincoat",
        name: "Drizzle raincoat",
        note: "Waxed cotton, lined",
        price: 240,
        tone: "ochre",
        picture: include_str!("../../assets/goods/raincoat.svg"),
    },
    Good {
        sku: "umbrella",
        name: "Errand umbrella",
        note: "Ash handle, eight ribs",
        price: 68,
        tone: "rust",
        picture: include_str!("../../assets/goods/umbrella.svg"),
    },
    Good {
        sku: "scarf",
        name: "Signal scarf",
        note: "Lambswool, 180 cm",
        price: 54,
        tone: "navy",
        picture: include_str!("../../assets/goods/scarf.svg"),
    },
    Good {
        sku: "fedora",
        name: "Understudy fedora",
        note: "Wool felt, grosgrain band",
        price: 115,
        tone: "stone",
        picture: include_str!("../../assets/goods/fedora.svg"),
    },
    Good {
        sku: "gloves",
        name: "Matinée gloves",
        note: "Deerskin, silk lining",
        price: 89,
        tone: "plum",
        picture: include_str!("../../assets/goods/gloves.svg"),
    },
    Good {
        sku: "bag",
        name: "Overnight bag",
        note: "Bridle leather, brass zip",
        price: 210,
        tone: "rust",
        picture: include_str!("../../assets/goods/bag.svg"),
    },
    Good {
        sku: "hook",
        name: "Brass hook no. 7",
        note: "For all of the above",
        price: 19,
        tone: "ochre",
        picture: include_str!("../../assets/goods/hook.svg"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_finds_its_own_good() {
        for good in GOODS {
            assert!(std::ptr::eq(find(good.sku).unwrap(), good), "{}", good.sku);
        }
        assert!(find("elephant").is_none());
    }
}
